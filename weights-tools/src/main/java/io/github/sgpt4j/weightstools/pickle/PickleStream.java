package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.InputStream;

/// Reads the bytes of a pickle that is too long for memory, in order, and tracks the position.
final class PickleStream {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int MAX_NAME = 200;

    private final InputStream in;
    private final String name;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private int next;
    private int limit;

    /// Bytes read before those in the buffer.
    private long passed;

    private long start;

    /// @param in borrowed
    /// @param name of the file, for messages
    PickleStream(InputStream in, String name) {
        this.in = in;
        this.name = name;
    }

    /// Marks the start of a step: errors report this offset.
    void mark() {
        start = passed + next;
    }

    /// An error at the current step.
    FormatException bad(String problem) {
        return new FormatException("%s: byte %d: %s".formatted(name, start, problem));
    }

    private boolean fill() throws IOException {
        if (next < limit) {
            return true;
        }
        passed += limit;
        next = 0;
        limit = Math.max(0, in.read(buffer));
        return limit > 0;
    }

    boolean atEnd() throws IOException {
        return !fill();
    }

    int u8() throws IOException {
        if (!fill()) {
            throw bad("expected more bytes, got the end");
        }
        return buffer[next++] & 0xFF;
    }

    /// A little-endian number of up to eight bytes, without its sign.
    long littleEndian(int count) throws IOException {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (long) u8() << 8 * i;
        }
        return value;
    }

    double bigEndianDouble() throws IOException {
        return Double.longBitsToDouble(Long.reverseBytes(littleEndian(Long.BYTES)));
    }

    /// The text up to the next line feed, which is consumed.
    String line() throws IOException {
        StringBuilder line = new StringBuilder();
        int value = u8();
        while (value != '\n') {
            if (line.length() == MAX_NAME) {
                throw bad("expected a name of at most %d bytes, got more".formatted(MAX_NAME));
            }
            line.append((char) value);
            value = u8();
        }
        return line.toString();
    }
}
