package io.github.sgpt4j.cli.model;

import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.files.UserCache;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import io.github.sgpt4j.weightstools.hub.HubSettings;
import io.github.sgpt4j.weightstools.store.ModelStore;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BiFunction;

/// Finds the directory of a model by the name that the user gave, and reports downloads and conversions on stderr.
///
/// @param console receives the messages; its environment locates the hub and the caches
/// @param quiet whether to print no messages
/// @param strict whether to refuse files of a hub that cannot be checked
public record ModelLocation(Console console, boolean quiet, boolean strict) {
    /// The built-in model if no name is given; otherwise as [ModelStore#find].
    ///
    /// @throws IOException if there is no such model, or reading or writing the cache fails
    public Path find(Optional<String> name) throws IOException {
        return name.isEmpty() ? NanoModel.directory() : store().find(name.get());
    }

    /// As [ModelStore#base].
    ///
    /// @param asked the name that the user gave, if any
    /// @throws IOException as [#find] and [#readable]
    public Optional<Path> base(Path directory, Optional<String> asked) throws IOException {
        return store().base(directory, asked);
    }

    /// As [ModelStore#readable].
    ///
    /// @throws IOException if the converted weights cannot be written
    public Path readable(Path directory) throws IOException {
        return store().readable(directory);
    }

    /// As [ModelStore#open].
    ///
    /// @throws IOException as [#base] and [#readable]
    public <T> T open(
            Path located, Optional<String> base, ModelOptions model, BiFunction<Path, ModelOptions, T> opening)
            throws IOException {
        return store().open(located, base, model, opening);
    }

    private ModelStore store() {
        return new ModelStore(
                console.environment(), HubOptions.DEFAULT.withStrict(strict), new ModelProgress(console, quiet));
    }

    /// The location of the hub, and of the cache that is shared with Hugging Face's own tools.
    public HubSettings settings() {
        try {
            return HubSettings.of(console.environment());
        } catch (IllegalArgumentException e) {
            throw new CliException(String.valueOf(e.getMessage()), e);
        }
    }

    /// A folder in the user's cache.
    public Path cache(String name) {
        UserCache cache = UserCache.of(console.environment());
        try {
            return cache.resolve(name);
        } catch (InvalidPathException e) {
            throw new CliException("%s: not a path: %s".formatted(cache.source(), e.getReason()), e);
        }
    }
}
