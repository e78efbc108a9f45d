package io.github.sgpt4j.retrieval.corpus;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// Reads lines of strict UTF-8: an invalid byte is an error, never replaced.
///
/// A line ends with `\n` or `\r\n`; a `\r` elsewhere belongs to the text. The last line may lack a line
/// end. A byte order mark at the very beginning is skipped. A line longer than the limit is an error,
/// so that memory is bounded.
public final class LineReader implements Closeable {
    /// Longest line in bytes.
    public static final int MAX_LINE_BYTES = 64 << 20;

    private static final int BUFFER_BYTES = 1 << 16;

    private final InputStream in;
    private final String name;
    private final int maxBytes;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private int position;
    private int limit;
    private byte[] line = new byte[256];
    private long lineNumber;

    /// Bytes read before those in the buffer.
    private long passed;

    private long lineStart;

    /// Reads the lines of a stream.
    ///
    /// @param in closed with the reader
    /// @param name of the input, for errors
    public LineReader(InputStream in, String name) {
        this(in, name, MAX_LINE_BYTES);
    }

    LineReader(InputStream in, String name, int maxBytes) {
        this.in = in;
        this.name = name;
        this.maxBytes = maxBytes;
    }

    /// The next line without its line end, or nothing at the end of input.
    ///
    /// @throws FormatException if reading fails, or the line is too long or not UTF-8
    /// @throws io.github.sgpt4j.error.CancelledException if reading fails because the thread was
    ///     interrupted, which happens with streams over channels; reading from files continues
    public Optional<String> next() {
        lineNumber++;
        lineStart = passed + position;
        int length = 0;
        boolean any = false;
        while (fill()) {
            any = true;
            int end = position;
            while (end < limit && buffer[end] != '\n') {
                end++;
            }
            length = append(length, end - position);
            position = end;
            if (end < limit) {
                position++;
                if (length > 0 && line[length - 1] == '\r') {
                    length--;
                }
                return Optional.of(decode(length));
            }
        }
        return any ? Optional.of(decode(length)) : Optional.empty();
    }

    /// Position of the line returned last, for errors: `name: line 3`.
    public String where() {
        return name + ": line " + lineNumber;
    }

    /// Offset of the line returned last in the input, in bytes; at the end of input, its length.
    public long start() {
        return lineStart;
    }

    /// Whether there are bytes in the buffer.
    private boolean fill() {
        if (position < limit) {
            return true;
        }
        try {
            passed += limit;
            position = 0;
            limit = Math.max(0, in.read(buffer));
        } catch (IOException e) {
            limit = 0;
            Interrupts.checkCause(where(), e);
            throw new FormatException("%s: cannot be read: %s".formatted(where(), reason(e)), e);
        }
        return limit > 0;
    }

    static String reason(IOException e) {
        String message = e.getMessage();
        return message == null || message.isBlank() ? e.getClass().getSimpleName() : message;
    }

    private int append(int length, int count) {
        // One more for the \r of the line end.
        if (length + count > maxBytes + 1) {
            throw new FormatException(
                    "%s: expected at most %,d bytes, the line is longer".formatted(where(), maxBytes));
        }
        if (length + count > line.length) {
            line = Arrays.copyOf(line, Math.max(length + count, Math.min(2 * line.length, maxBytes + 1)));
        }
        System.arraycopy(buffer, position, line, length, count);
        return length + count;
    }

    private String decode(int length) {
        return decode(line, length, lineNumber == 1, where());
    }

    /// A whole file as one text, by the same rules.
    ///
    /// @throws IOException if the file cannot be opened or read
    /// @throws FormatException if it is too long or not UTF-8
    public static String readWhole(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_LINE_BYTES + 1);
            if (bytes.length > MAX_LINE_BYTES) {
                throw new FormatException(
                        "%s: expected at most %,d bytes, the file is longer".formatted(file, MAX_LINE_BYTES));
            }
            return decode(bytes, bytes.length, true, file.toString());
        }
    }

    private static String decode(byte[] bytes, int length, boolean first, String where) {
        boolean mark =
                first && length >= 3 && bytes[0] == (byte) 0xEF && bytes[1] == (byte) 0xBB && bytes[2] == (byte) 0xBF;
        int start = mark ? 3 : 0;
        ByteBuffer in = ByteBuffer.wrap(bytes, start, length - start);
        CharBuffer text = CharBuffer.allocate(length - start);
        CoderResult result = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)
                .decode(in, text, true);
        if (result.isError() || in.hasRemaining()) {
            throw new FormatException("%s: expected UTF-8, got byte 0x%02x at byte %d"
                    .formatted(where, bytes[in.position()], in.position() + 1));
        }
        return text.flip().toString();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
