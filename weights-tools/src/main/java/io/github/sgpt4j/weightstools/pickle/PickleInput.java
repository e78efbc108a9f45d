package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.error.FormatException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Reads the bytes of a pickle in order, never beyond their end, and tracks the position.
public final class PickleInput {
    /// Length of the longest string and the longest line.
    private static final int MAX_TEXT = 1 << 16;

    private final String name;
    private final ByteWindow bytes;
    private long position;
    private long start;

    /// @param name of the file, and of the entry if it is in an archive, for messages
    /// @param bytes borrowed while reading
    /// @param position where to begin; offsets in messages count from the start of `bytes`
    public PickleInput(String name, MemorySegment bytes, long position) {
        this.name = name;
        this.bytes = new ByteWindow(bytes);
        this.position = position;
    }

    /// Offset of the next byte.
    public long position() {
        return position;
    }

    /// Marks the start of a step: errors report this offset.
    void mark() {
        start = position;
    }

    /// An error at the current step.
    public FormatException bad(String problem) {
        return new FormatException("%s: byte %d: %s".formatted(name, start, problem));
    }

    /// An error at the current step, with its cause.
    FormatException bad(String problem, Throwable cause) {
        return new FormatException("%s: byte %d: %s".formatted(name, start, problem), cause);
    }

    int u8() {
        return bytes.u8(take(1));
    }

    int u16() {
        return bytes.u16(take(2));
    }

    int i32() {
        return bytes.i32(take(4));
    }

    long u32() {
        return i32() & 0xFFFF_FFFFL;
    }

    /// Eight bytes; a length above `Long.MAX_VALUE` becomes negative.
    public long i64() {
        return bytes.i64(take(8));
    }

    double bigEndianDouble() {
        return Double.longBitsToDouble(Long.reverseBytes(i64()));
    }

    byte[] raw(long length, long most) {
        if (length < 0 || length > most) {
            throw bad("expected a length of at most %d, got %s".formatted(most, Long.toUnsignedString(length)));
        }
        return bytes.copy(take(length), (int) length);
    }

    String utf8(long length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(raw(length, MAX_TEXT)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw bad("expected a string in UTF-8, got other bytes", e);
        }
    }

    String latin1(long length) {
        return new String(raw(length, MAX_TEXT), StandardCharsets.ISO_8859_1);
    }

    /// The text up to the next line feed, which is consumed.
    String line() {
        long most = Math.min(bytes.byteSize() - position, MAX_TEXT + 1L);
        for (long length = 0; length < most; length++) {
            if (bytes.u8(position + length) == '\n') {
                String line = latin1(length);
                position++;
                return line;
            }
        }
        throw most > MAX_TEXT ? bad("expected a line of at most %d bytes, got more".formatted(MAX_TEXT)) : ended(1);
    }

    /// Bytes from here to the end.
    public long remaining() {
        return bytes.byteSize() - position;
    }

    /// Skips bytes.
    ///
    /// @return the offset of the first of them
    public long take(long length) {
        if (length > remaining()) {
            throw ended(length);
        }
        long at = position;
        position += length;
        return at;
    }

    private FormatException ended(long length) {
        return bad("expected %d more bytes, got the end after %d".formatted(length, remaining()));
    }
}
