package io.github.sgpt4j.weightstools;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.GZIPOutputStream;

/// Writes `ce-scores.jsonl` to a hidden file beside its place, where [#publish] moves it. The hidden file
/// of an interrupted run is overwritten by the next.
final class ScoreLines implements Closeable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path target;
    private final Path work;
    private final RandomAccessFile file;
    private final OutputStream out;
    private final StringBuilder line = new StringBuilder();
    private long queries;
    private long scores;

    private ScoreLines(Path target, Path work, RandomAccessFile file) throws IOException {
        this.target = target;
        this.work = work;
        this.file = file;
        OutputStream raw = new BufferedOutputStream(new FileOutputStream(file.getFD()), BUFFER_BYTES);
        out = ScoreConverter.isPacked(target) ? new GZIPOutputStream(raw, BUFFER_BYTES) : raw;
    }

    /// @throws IOException if the file cannot be created, or another conversion is writing it
    static ScoreLines beside(Path target) throws IOException {
        Path work = target.resolveSibling(".%s.sgpt-convert".formatted(target.getFileName()));
        RandomAccessFile file = new RandomAccessFile(work.toFile(), "rw");
        boolean locked = false;
        try {
            locked = file.getChannel().tryLock() != null;
            if (locked) {
                file.setLength(0);
                return new ScoreLines(target, work, file);
            }
        } catch (OverlappingFileLockException e) {
            FileSystemException busy = busy(work);
            busy.initCause(e);
            throw busy;
        } finally {
            if (!locked) {
                file.close();
            }
        }
        throw busy(work);
    }

    private static FileSystemException busy(Path file) {
        return new FileSystemException(file.toString(), null, "another conversion to this place is running");
    }

    void accept(int query, int[] passages, double[] values, int count) throws IOException {
        line.setLength(0);
        line.append("{\"qid\": ").append(query).append(", \"scores\": {");
        for (int i = 0; i < count; i++) {
            line.append(i == 0 ? "\"" : ", \"")
                    .append(passages[i])
                    .append("\": ")
                    .append(values[i]);
        }
        out.write(line.append("}}\n").toString().getBytes(StandardCharsets.US_ASCII));
        queries++;
        scores += count;
    }

    /// What was written.
    ScoreConverter.Report report() {
        return new ScoreConverter.Report(queries, scores);
    }

    /// Completes the file and moves it to its place.
    void publish() throws IOException {
        if (out instanceof GZIPOutputStream packed) {
            packed.finish();
        }
        out.flush();
        Files.move(work, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void close() throws IOException {
        try (file) {
            Files.deleteIfExists(work);
        }
    }
}
