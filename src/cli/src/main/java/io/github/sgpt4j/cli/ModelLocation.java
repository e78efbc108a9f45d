package io.github.sgpt4j.cli;

import io.github.sgpt4j.nano.NanoModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Finds the directory of a model by what the user calls it.
///
/// @param environment where the Hugging Face cache lies may be said here
record ModelLocation(Map<String, String> environment) {
    private static final Pattern HUB_NAME = Pattern.compile("[\\w.-]+/[\\w.-]+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern REVISION = Pattern.compile("[\\w][\\w.-]*");

    /// The built-in model if no name is given; a path if there is something at it; otherwise a hub model's snapshot in
    /// the local cache.
    Path find(Optional<String> name) {
        if (name.isEmpty()) {
            return NanoModel.directory();
        }
        Path path = path(name.get());
        if (Files.exists(path) || !HUB_NAME.matcher(name.get()).matches()) {
            return path;
        }
        return snapshot(name.get());
    }

    private static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new CliException("model \"%s\": not a path: %s".formatted(name, e.getReason()), e);
        }
    }

    private Path snapshot(String name) {
        Path repository = hub().resolve("models--" + name.replace("/", "--"));
        if (!Files.isDirectory(repository)) {
            throw new CliException("model %s: found neither a directory of that name nor %s in the Hugging Face cache"
                    .formatted(name, repository));
        }
        Path reference = repository.resolve("refs").resolve("main");
        String revision;
        try {
            revision = Files.readString(reference, StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new CliException(
                    "model %s: %s: expected the name of a snapshot, cannot be read: %s"
                            .formatted(name, reference, Failures.sentence(e)),
                    e);
        }
        if (!REVISION.matcher(revision).matches()) {
            throw new CliException(
                    "model %s: %s: expected the name of a snapshot, got \"%s\"".formatted(name, reference, revision));
        }
        Path snapshot = repository.resolve("snapshots").resolve(revision);
        if (!Files.isDirectory(snapshot)) {
            throw new CliException(
                    "model %s: %s names a snapshot that is missing: %s".formatted(name, reference, snapshot));
        }
        return snapshot;
    }

    /// Where Hugging Face's own tools keep downloaded models.
    private Path hub() {
        for (String variable : List.of("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")) {
            Optional<Path> cache = directory(variable);
            if (cache.isPresent()) {
                return cache.get();
            }
        }
        return directory("HF_HOME")
                .orElseGet(() -> cache().resolve("huggingface"))
                .resolve("hub");
    }

    /// Where programs keep what they can make again.
    Path cache() {
        return directory("XDG_CACHE_HOME")
                .orElseGet(() -> directory("HOME")
                        .orElseGet(() -> path(System.getProperty("user.home", ".")))
                        .resolve(".cache"));
    }

    private Optional<Path> directory(String variable) {
        String value = environment.getOrDefault(variable, "");
        return value.isEmpty() ? Optional.empty() : Optional.of(path(value));
    }
}
