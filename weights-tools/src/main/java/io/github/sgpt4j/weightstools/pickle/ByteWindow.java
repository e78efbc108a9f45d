package io.github.sgpt4j.weightstools.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/// Reads small little-endian numbers from mapped bytes through a copy of the bytes around them. In a
/// process that reads one file and ends, plain array accesses are several times as fast as those of a
/// segment, which pay off only after they are compiled.
public final class ByteWindow {
    private static final int WINDOW_BYTES = 1 << 12;

    private final MemorySegment bytes;
    private final byte[] window = new byte[WINDOW_BYTES];
    private long start;
    private long end;

    /// @param bytes borrowed
    public ByteWindow(MemorySegment bytes) {
        this.bytes = bytes;
    }

    /// Number of bytes.
    public long byteSize() {
        return bytes.byteSize();
    }

    /// @throws IndexOutOfBoundsException if there is no such byte
    public int u8(long offset) {
        if (offset < start || offset >= end) {
            move(offset);
        }
        return window[(int) (offset - start)] & 0xFF;
    }

    private void move(long offset) {
        Objects.checkIndex(offset, bytes.byteSize());
        long length = Math.min(WINDOW_BYTES, bytes.byteSize() - offset);
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, window, 0, (int) length);
        start = offset;
        end = offset + length;
    }

    public int u16(long offset) {
        return u8(offset) | u8(offset + 1) << 8;
    }

    public int i32(long offset) {
        return u16(offset) | u16(offset + 2) << 16;
    }

    public long i64(long offset) {
        return i32(offset) & 0xFFFF_FFFFL | (long) i32(offset + 4) << 32;
    }

    /// A copy of some bytes.
    ///
    /// @throws IndexOutOfBoundsException if not all of them exist
    public byte[] copy(long offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.byteSize());
        byte[] copy = new byte[length];
        if (offset >= start && offset + length <= end) {
            System.arraycopy(window, (int) (offset - start), copy, 0, length);
        } else {
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, copy, 0, length);
        }
        return copy;
    }
}
