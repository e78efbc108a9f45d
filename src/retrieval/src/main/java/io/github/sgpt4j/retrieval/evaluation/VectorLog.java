package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Vectors by key in a folder that only grows. Several processes may use a folder at once: each writes
/// a segment of its own, and finds what the others had written when it opened the folder. A process
/// that is killed loses at most the vectors of its last [#add]. Damaged records and files are skipped
/// and reported once; a damaged file is also removed. Not thread-safe.
final class VectorLog implements AutoCloseable {
    private final Path directory;
    private final int dimension;
    private final Consumer<String> notices;
    private final KeyTable table = new KeyTable();

    /// Record numbers continue across segments; the segment being written, if there is one yet, is the
    /// last.
    private final List<Segment> segments = new ArrayList<>();

    private boolean writing;
    private int records;
    private boolean told;

    private record Segment(VectorSegment file, int first) {}

    private VectorLog(Path directory, int dimension, Consumer<String> notices) {
        this.directory = directory;
        this.dimension = dimension;
        this.notices = notices;
    }

    /// Opens a folder, which is created if needed.
    ///
    /// @param dimension components of every vector
    /// @param notices told once, in a sentence that names the folder, if something in it is damaged
    static VectorLog open(Path directory, int dimension, Consumer<String> notices) throws IOException {
        VectorLog log = new VectorLog(directory, dimension, notices);
        try {
            log.makeFolder();
            log.openSegments();
        } catch (IOException | RuntimeException e) {
            log.close();
            throw e;
        }
        return log;
    }

    private void makeFolder() throws IOException {
        if (Files.exists(directory, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(directory)) {
            Files.delete(directory);
            report("expected a folder, got a file");
        }
        Files.createDirectories(directory);
    }

    /// Reports damage, the first time.
    private void report(String damage) {
        if (!told) {
            told = true;
            notices.accept("%s: results kept here are damaged and computed again (%s)".formatted(directory, damage));
        }
    }

    /// Opens a segment.
    ///
    /// @return empty if it cannot be used; it was then removed unless it is in use
    private Optional<VectorSegment> segment(Path file, boolean write) throws IOException {
        try {
            VectorSegment segment = VectorSegment.open(file, dimension, write);
            segment.damage().ifPresent(this::report);
            return Optional.of(segment);
        } catch (FormatException e) {
            report(String.valueOf(e.getMessage()));
            DamagedSegment.remove(file);
            return Optional.empty();
        } catch (AccessDeniedException e) {
            if (!Files.isWritable(directory)) {
                throw e;
            }
            report("%s: permission denied".formatted(file.getFileName()));
            return Optional.empty();
        }
    }

    private void openSegments() throws IOException {
        Optional<VectorSegment> growing = Optional.empty();
        for (Path file : files()) {
            Optional<VectorSegment> opened = segment(file, growing.isEmpty());
            if (opened.isEmpty()) {
                continue;
            }
            VectorSegment segment = opened.get();
            if (segment.isWritable()) {
                growing = Optional.of(segment);
            } else {
                append(segment);
            }
        }
        if (growing.isPresent()) {
            append(growing.get());
            writing = true;
        }
    }

    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*" + VectorSegment.KEYS)) {
            entries.forEach(files::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        files.sort(null);
        return files;
    }

    private void append(VectorSegment segment) throws IOException {
        segments.add(new Segment(segment, records));
        segment.forEachKey(key -> table.add(key, records++));
    }

    /// The vector under a key.
    Optional<float[]> find(TextKey key) {
        float[] vector = new float[dimension];
        int index = table.find(key, candidate -> read(candidate, key, vector));
        return index < 0 ? Optional.empty() : Optional.of(vector);
    }

    private boolean read(int index, TextKey key, float[] vector) {
        int i = segments.size() - 1;
        while (segments.get(i).first() > index) {
            i--;
        }
        Segment segment = segments.get(i);
        if (segment.file().read(index - segment.first(), key, vector)) {
            return true;
        }
        segment.file().damage().ifPresent(this::report);
        return false;
    }

    /// Adds vectors. They are handed to the operating system when the call returns.
    ///
    /// @param vectors `[keys][dimension]`
    void add(List<TextKey> keys, float[][] vectors) throws IOException {
        if (keys.size() != vectors.length) {
            throw new IllegalArgumentException("%d keys for %d vectors".formatted(keys.size(), vectors.length));
        }
        if (!writing) {
            append(VectorSegment.create(directory, dimension));
            writing = true;
        }
        segments.getLast().file().add(keys, vectors);
        for (TextKey key : keys) {
            table.add(key, records++);
        }
    }

    /// Records found or added, including damaged ones.
    int size() {
        return records;
    }

    @Override
    public void close() throws IOException {
        for (Segment segment : segments) {
            segment.file().close();
        }
    }
}
