package io.github.sgpt4j.training.run;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The saved states of a training, one file per step. A file is complete or absent, whenever the process or the machine
/// stops. One process at a time uses the folder.
final class StateFolder {
    private static final Pattern NAME = Pattern.compile("step-(\\d{1,18})\\.safetensors");
    private static final Pattern UNFINISHED = Pattern.compile("\\..*\\.tmp");
    private static final String BEST = "best.safetensors";

    private final Path folder;
    private final boolean keepsAll;

    /// @param folder absolute
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

    /// Removes what a killed process was writing.
    void removeUnfinished() throws IOException {
        for (Path file : list(name -> UNFINISHED.matcher(name).matches())) {
            Files.deleteIfExists(file);
        }
    }

    /// Puts all states into another folder too, on the same file system: without copying them where it can link files.
    ///
    /// @param target does not exist yet
    void putInto(Path target) throws IOException {
        Files.createDirectory(target);
        for (Path file : list(name -> NAME.matcher(name).matches())) {
            Path place = target.resolve(file.getFileName());
            try {
                Files.createLink(place, file);
            } catch (IOException | UnsupportedOperationException e) {
                Files.copy(file, place);
            }
        }
    }

    private NavigableMap<Long, Path> files() throws IOException {
        NavigableMap<Long, Path> files = new TreeMap<>();
        for (Path file : list(name -> NAME.matcher(name).matches())) {
            Matcher matcher = NAME.matcher(file.getFileName().toString());
            if (matcher.matches()) {
                files.put(Long.parseLong(matcher.group(1)), file);
            }
        }
        return files;
    }

    private List<Path> list(Predicate<String> names) throws IOException {
        List<Path> found = new ArrayList<>();
        if (!Files.isDirectory(folder)) {
            return found;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (names.test(String.valueOf(entry.getFileName()))) {
                    found.add(entry);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }
}
