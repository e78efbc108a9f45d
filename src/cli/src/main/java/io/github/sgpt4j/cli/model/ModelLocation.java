package io.github.sgpt4j.cli.model;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.progress.DownloadProgress;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.weightstools.hub.Hub;
import io.github.sgpt4j.weightstools.hub.HubException;
import io.github.sgpt4j.weightstools.hub.HubModel;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import io.github.sgpt4j.weightstools.hub.HubSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/// Finds the directory of a model by what the user calls it.
///
/// @param console hears of a download; its environment says where hub and caches are
/// @param quiet whether to say nothing
/// @param strict whether to refuse files of a hub that cannot be checked
public record ModelLocation(Console console, boolean quiet, boolean strict) {
    /// The built-in model if no name is given; a path if there is something at it; otherwise the snapshot of a hub's
    /// model, which is downloaded unless the local cache has it.
    ///
    /// @throws IOException if reading or writing the cache fails
    public Path find(Optional<String> name) throws IOException {
        if (name.isEmpty()) {
            return NanoModel.directory();
        }
        Path path = path(name.get());
        Optional<HubModel> model = HubModel.parse(name.get());
        if (model.isEmpty() || Files.exists(path)) {
            return path;
        }
        try (DownloadProgress progress = new DownloadProgress(console, quiet)) {
            return new Hub(settings()).get(model.get(), HubOptions.DEFAULT.withStrict(strict), progress);
        } catch (HubException e) {
            throw new CliException("%s; nor is there a directory %s".formatted(e.getMessage(), path), e);
        }
    }

    /// The base model of an adapter: the one that was asked for, or that the adapter names, which is told; empty if
    /// there is no adapter, or its base model is in the same folder.
    ///
    /// @param asked what the user calls it, if anything
    /// @throws IOException as [#find] and [#readable]
    public Optional<Path> base(Path directory, Optional<String> asked) throws IOException {
        Optional<String> named = Model.neededBaseModel(directory);
        if (asked.isEmpty() && named.isEmpty()) {
            return Optional.empty();
        }
        Path found = readable(find(asked.or(() -> named)));
        if (asked.isEmpty() && !quiet) {
            console.say(
                    "%s: the adapter is merged into %s, as its adapter_config.json says".formatted(directory, found));
        }
        return Optional.of(found);
    }

    private static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new CliException("model \"%s\": not a path: %s".formatted(name, e.getReason()), e);
        }
    }

    /// Where the hub is, and the cache that Hugging Face's own tools use too.
    public HubSettings settings() {
        try {
            return HubSettings.of(console.environment());
        } catch (IllegalArgumentException e) {
            throw new CliException(String.valueOf(e.getMessage()), e);
        }
    }

    /// A checkpoint that the engine can read: the given one, or if it has pickled weights only, a converted one, made
    /// now unless that has happened before.
    ///
    /// @throws IOException if the converted weights cannot be written
    public Path readable(Path directory) throws IOException {
        return converted().readable(directory);
    }

    /// Reads all of what has been converted of a checkpoint and its base model, and converts again what is damaged.
    ///
    /// @param directory as given to [#readable]
    /// @param asked as given to [#base]
    /// @return whether anything was
    /// @throws IOException as [#base]
    public boolean repair(Path directory, Optional<String> asked) throws IOException {
        boolean repaired = converted().repair(directory);
        Optional<String> base = asked.or(() -> Model.neededBaseModel(directory));
        return base.isPresent() && converted().repair(find(base)) || repaired;
    }

    private ConvertedModels converted() {
        return new ConvertedModels(console, quiet, cache().resolve("sgpt4j").resolve("converted"));
    }

    /// Where programs keep what they can make again.
    public Path cache() {
        return directory("XDG_CACHE_HOME")
                .orElseGet(() -> directory("HOME")
                        .orElseGet(() -> path(System.getProperty("user.home", ".")))
                        .resolve(".cache"));
    }

    private Optional<Path> directory(String variable) {
        String value = console.environment().getOrDefault(variable, "");
        return value.isEmpty() ? Optional.empty() : Optional.of(path(value));
    }
}
