package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.retrieval.corpus.GzipFile;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// The lines of a file of strict UTF-8, read in any order. The file is read once to check it; then 12
/// bytes per line are kept in memory, and lines are read when they are asked for. A gz file is
/// decompressed into a temporary file, which is deleted when this is closed.
///
/// Safe to use from several threads.
final class LineFile implements Closeable {
    private static final String GZ = ".gz";
    private static final int BLOCK_BYTES = 1 << 16;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Path file;
    private final DataFile content;
    private final Optional<Path> temporary;
    private final RandomAccessFile bytes;
    private final LongList starts;
    private final IntList checks;

    /// Looks at every line while the file is opened.
    @FunctionalInterface
    interface Visitor {
        /// @param where file and line, for errors
        /// @return whether the line counts
        boolean visit(Supplier<String> where, String line);
    }

    private LineFile(
            Path file,
            DataFile content,
            Optional<Path> temporary,
            RandomAccessFile bytes,
            LongList starts,
            IntList checks) {
        this.file = file;
        this.content = content;
        this.temporary = temporary;
        this.bytes = bytes;
        this.starts = starts;
        this.checks = checks;
    }

    /// Reads a file once.
    ///
    /// @throws FormatException if it cannot be read, is not UTF-8, or has a line that is too long
    static LineFile open(Path file, Visitor visitor) {
        checkRegular(file);
        boolean packed = isPacked(file);
        Optional<Path> temporary = Optional.empty();
        try {
            if (packed) {
                temporary = Optional.of(Files.createTempFile("sgpt4j-lines-", ".txt"));
                temporary.get().toFile().deleteOnExit();
            }
            LongList starts = new LongList();
            IntList checks = new IntList();
            DataFile content = scan(file, temporary, (reader, line) -> {
                if (visitor.visit(reader::where, line)) {
                    starts.add(reader.start());
                    checks.add(line.hashCode());
                }
            });
            if (checks.size() == 0) {
                throw new FormatException(file + ": expected lines, found none");
            }
            starts.add(content.bytes());
            RandomAccessFile bytes = new RandomAccessFile(temporary.orElse(file).toFile(), "r");
            // Where the system removes the name only, nothing is left even if the process is killed.
            delete(temporary);
            return new LineFile(file, content, temporary, bytes, starts, checks);
        } catch (IOException e) {
            delete(temporary);
            throw Unreadable.of(file, e);
        } catch (RuntimeException e) {
            delete(temporary);
            throw e;
        }
    }

    /// Reads a file once without keeping anything.
    ///
    /// @param visitor may return anything
    /// @return its content
    static DataFile read(Path file, Visitor visitor) {
        checkRegular(file);
        try {
            return scan(file, Optional.empty(), (reader, line) -> visitor.visit(reader::where, line));
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    /// A file's content, whatever its lines are.
    static DataFile content(Path file) {
        checkRegular(file);
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = isPacked(file) ? GzipFile.open(file, raw) : raw;
                CopiedStream hashed = CopiedStream.of(in, Optional.empty())) {
            byte[] block = new byte[BLOCK_BYTES];
            long length = 0;
            for (int read = hashed.read(block); read >= 0; read = hashed.read(block)) {
                Interrupts.check("reading " + file);
                length += read;
            }
            return new DataFile(plainName(file), length, hashed.finish());
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    /// The first line of a file; empty if there is none.
    static String firstLine(Path file) {
        checkRegular(file);
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = isPacked(file) ? GzipFile.open(file, raw) : raw;
                LineReader reader = new LineReader(in, file.toString())) {
            return reader.next().orElse("");
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    static void checkRegular(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new FormatException("%s: expected a file, %s"
                    .formatted(file, Files.exists(file) ? "got something else" : "found nothing there"));
        }
    }

    static boolean isPacked(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(GZ);
    }

    /// A file's name without folder and without `.gz`.
    static String plainName(Path file) {
        String name = file.toAbsolutePath().normalize().getFileName().toString();
        return isPacked(file) ? name.substring(0, name.length() - GZ.length()) : name;
    }

    private interface LineSink {
        void accept(LineReader reader, String line);
    }

    private static DataFile scan(Path file, Optional<Path> copy, LineSink sink) throws IOException {
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = isPacked(file) ? GzipFile.open(file, raw) : raw;
                CopiedStream copied = CopiedStream.of(in, copy);
                LineReader reader = new LineReader(copied, file.toString())) {
            Optional<String> line = reader.next();
            while (line.isPresent()) {
                Interrupts.check("reading " + file);
                sink.accept(reader, line.get());
                line = reader.next();
            }
            return new DataFile(plainName(file), reader.start(), copied.finish());
        }
    }

    private static void delete(Optional<Path> temporary) {
        temporary.ifPresent(path -> path.toFile().delete());
    }

    Path file() {
        return file;
    }

    DataFile content() {
        return content;
    }

    /// Number of lines that count.
    int count() {
        return checks.size();
    }

    /// A line without its line end.
    ///
    /// @param index counts the lines that count, from 0
    /// @throws FormatException if it was changed or cannot be read
    String line(int index) {
        long start = starts.get(index);
        byte[] read =
                new byte[Math.toIntExact(Math.min(starts.get(index + 1) - start, LineReader.MAX_LINE_BYTES + 2L))];
        try {
            synchronized (bytes) {
                bytes.seek(start);
                bytes.readFully(read);
            }
            String line = decode(read, start == 0);
            if (line.hashCode() == checks.get(index)) {
                return line;
            }
        } catch (CharacterCodingException | EOFException e) {
            throw new FormatException(changed(start), e);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
        throw new FormatException(changed(start));
    }

    private String changed(long start) {
        return "%s: byte %d: expected the line that was there when the file was opened, the file was changed"
                .formatted(file, start);
    }

    private static String decode(byte[] bytes, boolean first) throws CharacterCodingException {
        int length = 0;
        while (length < bytes.length && bytes[length] != '\n') {
            length++;
        }
        if (length > 0 && length < bytes.length && bytes[length - 1] == '\r') {
            length--;
        }
        String line = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes, 0, length))
                .toString();
        return first && !line.isEmpty() && line.charAt(0) == BYTE_ORDER_MARK ? line.substring(1) : line;
    }

    @Override
    public void close() throws IOException {
        bytes.close();
        delete(temporary);
    }
}
