package io.github.sgpt4j.server.models;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TextKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// The models of a server; the first that embeds and the first that scores answer requests that name none.
///
/// @param all at least one
public record ServedModels(List<ServedModel> all) implements AutoCloseable {
    private static final Map<String, TextKind> SUFFIXES =
            Map.of(":query", TextKind.QUERY, ":document", TextKind.DOCUMENT);

    /// A model that embeds, and the kind that its name asks for.
    ///
    /// @param kind from the suffix `:query` or `:document` of the name
    public record Embedder(ServedModel model, BiEncoder encoder, Optional<TextKind> kind) {}

    /// A model that scores.
    public record Scorer(ServedModel model, CrossEncoder encoder) {}

    /// Copies the list.
    ///
    /// @throws IllegalArgumentException if it is empty, or two models have one name
    public ServedModels {
        all = List.copyOf(all);
        if (all.isEmpty()) {
            throw new IllegalArgumentException("no model");
        }
        List<String> names = new ArrayList<>();
        for (ServedModel model : all) {
            names.add(model.id());
            names.addAll(model.aliases());
        }
        givenTwice(names).ifPresent(name -> {
            throw new IllegalArgumentException("two models are named %s".formatted(name));
        });
    }

    /// The first name that occurs twice.
    public static Optional<String> givenTwice(List<String> names) {
        return names.stream()
                .filter(name -> names.indexOf(name) != names.lastIndexOf(name))
                .findFirst();
    }

    /// Whether a name, with or without a suffix, is that of a model.
    public boolean knows(String name) {
        return all.stream().anyMatch(model -> model.isNamed(name) || model.isNamed(stem(name)));
    }

    /// The model of a name, with or without a suffix; or the first.
    public Optional<ServedModel> named(Optional<String> name) {
        return find(model -> name.isEmpty() || model.isNamed(name.get()))
                .or(() -> find(model -> model.isNamed(stem(name.orElseThrow()))));
    }

    /// The model of a name that embeds, or the first that does.
    ///
    /// @param name with or without a suffix
    public Optional<Embedder> embedder(Optional<String> name) {
        Optional<ServedModel> exact =
                find(model -> model.encoder().isPresent() && (name.isEmpty() || model.isNamed(name.get())));
        if (exact.isPresent()) {
            return exact.map(model -> embedder(model, Optional.empty()));
        }
        return name.flatMap(full -> kind(full)
                .flatMap(kind -> find(model -> model.encoder().isPresent() && model.isNamed(stem(full)))
                        .map(model -> embedder(model, Optional.of(kind)))));
    }

    /// The model of a name, with or without a suffix, that scores; or the first that does.
    public Optional<Scorer> scorer(Optional<String> name) {
        return find(model -> model.scorer().isPresent() && (name.isEmpty() || model.isNamed(name.get())))
                .or(() -> find(model -> model.scorer().isPresent() && model.isNamed(stem(name.orElse("")))))
                .map(model -> new Scorer(model, model.scorer().orElseThrow()));
    }

    private static Embedder embedder(ServedModel model, Optional<TextKind> kind) {
        return new Embedder(model, model.encoder().orElseThrow(), kind);
    }

    private Optional<ServedModel> find(Predicate<ServedModel> condition) {
        return all.stream().filter(condition).findFirst();
    }

    /// The kind of text that the suffix of a name stands for.
    public static Optional<TextKind> kind(String name) {
        return SUFFIXES.entrySet().stream()
                .filter(suffix -> name.endsWith(suffix.getKey()))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private static String stem(String name) {
        return SUFFIXES.keySet().stream()
                .filter(name::endsWith)
                .map(suffix -> name.substring(0, name.length() - suffix.length()))
                .findFirst()
                .orElse(name);
    }

    @Override
    public void close() {
        all.forEach(ServedModel::close);
    }
}
