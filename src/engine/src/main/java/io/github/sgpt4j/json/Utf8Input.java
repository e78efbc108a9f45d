package io.github.sgpt4j.json;

import io.github.sgpt4j.error.FormatException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/// Reads mapped bytes as a stream and checks that they are UTF-8 (Unicode 16.0, table 3-7) without null
/// bytes. So a JSON parser cannot mistake them for another encoding.
///
/// Any error is a [FormatException] that names the byte's offset in the file.
public final class Utf8Input extends InputStream {
    private final String file;
    private final MemorySegment bytes;
    private final long fileOffset;
    private long position;

    /// Continuation bytes still due, and the range the next one must be in.
    private int due;

    private int low = 0x80;
    private int high = 0xBF;

    /// @param bytes borrowed until the stream is fully read
    /// @param fileOffset where `bytes` begin in the file
    Utf8Input(String file, MemorySegment bytes, long fileOffset) {
        this.file = file;
        this.bytes = bytes;
        this.fileOffset = fileOffset;
    }

    @Override
    public int read() {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, target.length);
        if (length == 0) {
            return 0;
        }
        int count = (int) Math.min(length, bytes.byteSize() - position);
        if (count == 0) {
            if (due > 0) {
                throw bad("expected the rest of a UTF-8 character, got the end");
            }
            return -1;
        }
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, position, target, offset, count);
        for (int i = 0; i < count; i++) {
            check(target[offset + i] & 0xFF);
            position++;
        }
        return count;
    }

    private void check(int value) {
        if (due > 0) {
            if (value < low || value > high) {
                throw bad("expected the rest of a UTF-8 character, got 0x%02x".formatted(value));
            }
            due--;
            low = 0x80;
            high = 0xBF;
        } else if (value == 0) {
            throw bad("expected text, got a null byte");
        } else if (value >= 0x80) {
            start(value);
        }
    }

    private void start(int value) {
        if (value < 0xC2 || value > 0xF4) {
            throw bad("expected UTF-8, got 0x%02x".formatted(value));
        }
        due = value < 0xE0 ? 1 : value < 0xF0 ? 2 : 3;
        switch (value) {
            case 0xE0 -> low = 0xA0;
            case 0xED -> high = 0x9F;
            case 0xF0 -> low = 0x90;
            case 0xF4 -> high = 0x8F;
            default -> {
                // Any continuation byte may follow.
            }
        }
    }

    private FormatException bad(String what) {
        return new FormatException("%s: byte %d: %s".formatted(file, fileOffset + position, what));
    }
}
