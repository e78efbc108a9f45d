package io.github.sgpt4j.weightstools.store;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.UserCache;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.ModelsListener;
import io.github.sgpt4j.weightstools.hub.Hub;
import io.github.sgpt4j.weightstools.hub.HubException;
import io.github.sgpt4j.weightstools.hub.HubListener;
import io.github.sgpt4j.weightstools.hub.HubModel;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import io.github.sgpt4j.weightstools.hub.HubSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;

/// Finds and opens models by what users call them.
///
/// @param environment environment variables, which say where hub and caches are
/// @param options how to download
/// @param listener hears of downloads and conversions
public record ModelStore(Map<String, String> environment, HubOptions options, ModelsListener listener) {
    public ModelStore {
        environment = Map.copyOf(environment);
    }

    /// The directory of a model as published: a path if there is something at it; otherwise the
    /// snapshot of a hub's model, which is downloaded unless the local cache has it.
    ///
    /// @throws IOException if the name is no path, the hub refuses or cannot be reached, or reading
    ///     or writing the cache fails
    public Path find(String name) throws IOException {
        Path path = path(name);
        Optional<HubModel> model = HubModel.parse(name);
        if (model.isEmpty() || Files.exists(path)) {
            return path;
        }
        HubSettings settings = settings();
        try {
            return new Hub(settings).get(model.get(), options, ofHub(listener));
        } catch (HubException e) {
            throw new HubException("%s; nor is there a directory %s".formatted(e.getMessage(), path), e);
        } finally {
            listener.finished();
        }
    }

    /// A checkpoint that the engine can read: the given one, or if it has pickled weights only, a
    /// converted one, made now unless that has happened before.
    ///
    /// @throws IOException if the converted weights cannot be written
    public Path readable(Path directory) throws IOException {
        return converted().readable(directory);
    }

    /// The base model of an adapter, readable: the one that was asked for, or that the adapter
    /// names, of which the listener hears; empty if there is no adapter, or its base model is in
    /// the same folder.
    ///
    /// @param asked what the user calls it, if anything
    /// @throws IOException as [#find] and [#readable]
    public Optional<Path> base(Path directory, Optional<String> asked) throws IOException {
        Optional<String> name = asked.isPresent() ? asked : Model.neededBaseModel(directory);
        if (name.isEmpty()) {
            return Optional.empty();
        }
        Path found = readable(find(name.get()));
        if (asked.isEmpty()) {
            listener.notice(
                    "%s: the adapter is merged into %s, as its adapter_config.json says".formatted(directory, found));
        }
        return Optional.of(found);
    }

    /// Opens something of a model. Where that fails because a conversion in the cache is damaged,
    /// it is made again first.
    ///
    /// @param located directory of the model as published
    /// @param base what the user calls the base model of an adapter, if anything
    /// @param model how the model is opened; a base model is added to it
    /// @param opening takes a directory that the engine can read, and how it is opened
    /// @throws IOException as [#readable] and [#base]
    public <T> T open(
            Path located, Optional<String> base, ModelOptions model, BiFunction<Path, ModelOptions, T> opening)
            throws IOException {
        try {
            return openOnce(located, base, model, opening);
        } catch (FormatException e) {
            if (!repair(located, base)) {
                throw e;
            }
            return openOnce(located, base, model, opening);
        }
    }

    private <T> T openOnce(
            Path located, Optional<String> base, ModelOptions model, BiFunction<Path, ModelOptions, T> opening)
            throws IOException {
        Path directory = readable(located);
        return opening.apply(
                directory, base(directory, base).map(model::withBaseModel).orElse(model));
    }

    /// Reads all of what has been converted of a checkpoint and its base model, and converts again
    /// what is damaged.
    ///
    /// @return whether anything was
    private boolean repair(Path located, Optional<String> asked) throws IOException {
        boolean repaired = converted().repair(located);
        Optional<String> base = asked.isPresent() ? asked : Model.neededBaseModel(located);
        return base.isPresent() && converted().repair(find(base.get())) || repaired;
    }

    private ConvertedModels converted() throws IOException {
        UserCache cache = UserCache.of(environment);
        try {
            return new ConvertedModels(listener, cache.resolve("converted"));
        } catch (InvalidPathException e) {
            throw new IOException("%s: not a path: %s".formatted(cache.source(), e.getReason()), e);
        }
    }

    private static Path path(String name) throws IOException {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new IOException("model %s: not a path: %s".formatted(Quoted.of(name), e.getReason()), e);
        }
    }

    private HubSettings settings() throws IOException {
        try {
            return HubSettings.of(environment);
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /// The part of a listener that hears of a download.
    private static HubListener ofHub(ModelsListener listener) {
        return new HubListener() {
            @Override
            public void notice(String sentence) {
                listener.notice(sentence);
            }

            @Override
            public void progress(long done, long total) {
                listener.downloading(done, total);
            }

            @Override
            public void fetched(String path, long bytes) {
                listener.fetched(path, bytes);
            }
        };
    }
}
