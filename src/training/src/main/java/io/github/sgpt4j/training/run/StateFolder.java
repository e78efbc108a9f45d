package io.github.sgpt4j.training.run;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The saved states of a training, one file per step. A file is complete or absent, whenever the process ends.
final class StateFolder {
    private static final Pattern NAME = Pattern.compile("step-(\\d{1,18})\\.safetensors");
    private static final String BEST = "best.safetensors";

    private final Path folder;
    private final boolean keepsAll;

    /// @param keepsAll whether older states stay
    StateFolder(Path folder, boolean keepsAll) {
        this.folder = folder;
        this.keepsAll = keepsAll;
    }

    /// Saves a state; then older ones are removed unless all are kept.
    void save(SavedState state) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve("step-%d.safetensors".formatted(state.state().step()));
        state.write(file);
        if (keepsAll) {
            return;
        }
        for (Path other : files().values()) {
            if (!other.equals(file)) {
                Files.deleteIfExists(other);
            }
        }
    }

    /// Saves the best state so far.
    void saveBest(SavedState state) throws IOException {
        Files.createDirectories(folder);
        state.write(folder.resolve(BEST));
    }

    /// The file of the last state, if there is one.
    Optional<Path> last() throws IOException {
        return Optional.ofNullable(files().lastEntry()).map(Map.Entry::getValue);
    }

    /// The file of the best state, if there is one.
    Optional<Path> best() {
        Path file = folder.resolve(BEST);
        return Files.exists(file) ? Optional.of(file) : Optional.empty();
    }

    private NavigableMap<Long, Path> files() throws IOException {
        NavigableMap<Long, Path> files = new TreeMap<>();
        if (!Files.isDirectory(folder)) {
            return files;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                Matcher matcher = NAME.matcher(entry.getFileName().toString());
                if (matcher.matches()) {
                    files.put(Long.parseLong(matcher.group(1)), entry);
                }
            }
        }
        return files;
    }

    /// The last state.
    ///
    /// @throws FormatException if there is none, or it is broken
    SavedState requireLast() throws IOException {
        Path file = last().orElseThrow(() ->
                new FormatException("%s: expected the saved state of a training, found none".formatted(folder)));
        return SavedState.read(file);
    }
}
