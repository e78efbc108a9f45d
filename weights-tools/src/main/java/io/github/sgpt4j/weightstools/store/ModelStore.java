package io.github.sgpt4j.weightstools.store;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.UserCache;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.ModelsListener;
import io.github.sgpt4j.weightstools.hub.Hub;
import io.github.sgpt4j.weightstools.hub.HubException;
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

/// Finds and opens models by the names that users give.
///
/// @param environment environment variables, which configure hub and caches
/// @param options how to download
/// @param listener reports downloads and conversions
public record ModelStore(Map<String, String> environment, HubOptions options, ModelsListener listener) {
    private static final String FOLDER = "expected its folder, got none";

    public ModelStore {
        environment = Map.copyOf(environment);
    }

    /// The directory of a model as published: a path, if something exists there; otherwise the snapshot
    /// of a hub model, which is downloaded unless it is in the local cache.
    ///
    /// @throws IOException if the name is not a path, the hub refuses or cannot be reached, or the
    ///     cache cannot be read or written
    public Path find(String name) throws IOException {
        Path path = path(name);
        Optional<HubModel> model = HubModel.parse(name);
        if (model.isEmpty() || Files.exists(path)) {
            return path;
        }
        HubSettings settings = settings();
        try {
            return new Hub(settings).get(model.get(), options, DownloadReports.to(listener));
        } catch (HubException e) {
            throw new HubException("%s; nor is there a directory %s".formatted(e.getMessage(), path), e);
        } finally {
            listener.finished();
        }
    }

    /// A checkpoint that the engine can read: the given one, or its conversion if it has pickled
    /// weights only, made now unless it exists.
    ///
    /// @throws IOException if the converted weights cannot be written
    public Path readable(Path directory) throws IOException {
        return converted().readable(directory);
    }

    /// The readable base model of an adapter: the requested one, or the one that the adapter names,
    /// which is reported to the listener; empty if there is no adapter, or its base model is in the
    /// same folder.
    ///
    /// @param asked the user's name for it, if any
    /// @throws IOException as [#find] and [#readable]
    public Optional<Path> base(Path directory, Optional<String> asked) throws IOException {
        Optional<String> name = asked.isPresent() ? asked : Model.neededBaseModel(directory);
        if (name.isEmpty()) {
            return Optional.empty();
        }
        Path found = readable(asked.isPresent() ? find(name.get()) : named(directory, name.get()));
        if (asked.isEmpty()) {
            listener.notice(
                    "%s: the adapter is merged into %s, as its adapter_config.json says".formatted(directory, found));
        }
        return Optional.of(found);
    }

    /// What an adapter names as its base model.
    private Path named(Path adapter, String name) throws IOException {
        String needed = "%s: the adapter needs its base model %s".formatted(adapter, Quoted.of(name));
        Path found;
        try {
            found = find(name);
        } catch (IOException e) {
            throw new IOException("%s (%s): %s".formatted(needed, e.getMessage(), FOLDER), e);
        }
        if (!Files.isDirectory(found)) {
            throw new FormatException("%s, and there is no such directory: %s".formatted(needed, FOLDER));
        }
        return found;
    }

    /// Opens something of a model. If that fails because a conversion in the cache is damaged, the
    /// conversion is repeated first.
    ///
    /// @param located directory of the model as published
    /// @param base the user's name for an adapter's base model, if any
    /// @param model how to open the model; a base model is added to it
    /// @param opening receives a directory that the engine can read, and how to open it
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

    /// Reads the conversions of a checkpoint and its base model completely, and repeats damaged ones.
    ///
    /// @return whether any was damaged
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
}
