package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Stored numbers to floats and back. Segments may start at any byte.
public final class Widening {
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    /// Most rows of [#widenRows].
    public static final int MAX_ROWS = 128;

    private static final ThreadLocal<short[]> CHUNK = ThreadLocal.withInitial(() -> new short[MAX_ROWS * Simd.LANES]);

    private Widening() {}

    /// `out[o, o + count) =` the `count` elements of type `dtype` that start `byteOffset` bytes into
    /// `in`, which must not be a mapped file.
    public static void widen(MemorySegment in, ElementType dtype, long byteOffset, float[] out, int o, int count) {
        switch (dtype) {
            case F32 -> MemorySegment.copy(in, LittleEndian.F32, byteOffset, out, o, count);
            case BF16 -> widenBf16(in, byteOffset, out, o, count);
            case F16 -> widenF16(in, byteOffset, out, o, count);
            default -> throw new IllegalArgumentException("weights of type " + dtype);
        }
    }

    /// As [#widen], from a mapped file, which may be truncated meanwhile: reading or copying single
    /// elements survives that, vector loads do not. So 16-bit elements go through a small array.
    public static void widenMapped(
            MemorySegment in, ElementType dtype, long byteOffset, float[] out, int o, int count) {
        if (dtype != ElementType.BF16) {
            widen(in, dtype, byteOffset, out, o, count);
            return;
        }
        short[] chunk = CHUNK.get();
        for (int start = 0; start < count; start += chunk.length) {
            int n = Math.min(chunk.length, count - start);
            MemorySegment.copy(in, LittleEndian.I16, byteOffset + 2L * start, chunk, 0, n);
            bf16ToFloats(chunk, 0, out, o + start, n);
        }
    }

    /// As [#widenMapped], for `rows` rows of few elements.
    ///
    /// @param stride bytes from one row to the next
    /// @param outStride floats from one row to the next
    /// @param count elements of a row, at most [Simd#TILE_COLUMNS]
    public static void widenMappedRows(
            MemorySegment in,
            ElementType dtype,
            long byteOffset,
            long stride,
            float[] out,
            int o,
            int outStride,
            int rows,
            int count) {
        if (dtype == ElementType.F32) {
            for (int r = 0; r < rows; r++) {
                MemorySegment.copy(in, LittleEndian.F32, byteOffset + r * stride, out, o + r * outStride, count);
            }
            return;
        }
        short[] chunk = CHUNK.get();
        int together = chunk.length / count;
        for (int first = 0; first < rows; first += together) {
            int n = Math.min(together, rows - first);
            for (int r = 0; r < n; r++) {
                MemorySegment.copy(in, LittleEndian.I16, byteOffset + (first + r) * stride, chunk, r * count, count);
            }
            if (outStride == count) {
                toFloats(dtype, chunk, 0, out, o + first * outStride, n * count);
            } else {
                for (int r = 0; r < n; r++) {
                    toFloats(dtype, chunk, r * count, out, o + (first + r) * outStride, count);
                }
            }
        }
    }

    private static void toFloats(ElementType dtype, short[] in, int i, float[] out, int o, int count) {
        switch (dtype) {
            case BF16 -> bf16ToFloats(in, i, out, o, count);
            case F16 -> f16ToFloats(in, i, out, o, count);
            default -> throw new IllegalArgumentException("weights of type " + dtype);
        }
    }

    private static void bf16ToFloats(short[] in, int i, float[] out, int o, int count) {
        int c = 0;
        for (; c < Simd.F.loopBound(count); c += Simd.LANES) {
            IntVector bits = (IntVector)
                    ShortVector.fromArray(Simd.S, in, i + c).convertShape(VectorOperators.ZERO_EXTEND_S2I, Simd.I, 0);
            bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, o + c);
        }
        for (; c < count; c++) {
            out[o + c] = Half.bf16ToFloat(in[i + c]);
        }
    }

    private static void widenBf16(MemorySegment in, long byteOffset, float[] out, int o, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            widenBf16(in, byteOffset + 2L * i, out, o + i);
        }
        for (; i < count; i++) {
            out[o + i] = Half.bf16ToFloat(in.get(LittleEndian.I16, byteOffset + 2L * i));
        }
    }

    /// Widens at most [#MAX_ROWS] contiguous rows of [Simd#LANES] elements to rows that start
    /// [Simd#TILE_COLUMNS] floats apart.
    public static void widenRows(MemorySegment in, ElementType dtype, long byteOffset, float[] out, int o, int rows) {
        switch (dtype) {
            case F32 -> {
                for (int r = 0; r < rows; r++) {
                    FloatVector.fromMemorySegment(Simd.F, in, byteOffset + r * 4L * Simd.LANES, ORDER)
                            .intoArray(out, o + r * Simd.TILE_COLUMNS);
                }
            }
            case BF16 -> {
                for (int r = 0; r < rows; r++) {
                    widenBf16(in, byteOffset + r * 2L * Simd.LANES, out, o + r * Simd.TILE_COLUMNS);
                }
            }
            case F16 -> {
                short[] chunk = CHUNK.get();
                MemorySegment.copy(in, LittleEndian.I16, byteOffset, chunk, 0, rows * Simd.LANES);
                for (int r = 0; r < rows; r++) {
                    for (int c = 0; c < Simd.LANES; c++) {
                        out[o + r * Simd.TILE_COLUMNS + c] = Half.f16ToFloat(chunk[r * Simd.LANES + c]);
                    }
                }
            }
            default -> throw new IllegalArgumentException("weights of type " + dtype);
        }
    }

    /// One vector.
    private static void widenBf16(MemorySegment in, long byteOffset, float[] out, int o) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(Simd.S, in, byteOffset, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, Simd.I, 0);
        bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, o);
    }

    /// Uses a small array and a plain loop: the compiler vectorises it and, unlike the Vector API,
    /// it is fast even before it is compiled. The time to open a model in this format depends on
    /// that.
    private static void widenF16(MemorySegment in, long byteOffset, float[] out, int o, int count) {
        short[] chunk = CHUNK.get();
        for (int start = 0; start < count; start += chunk.length) {
            int n = Math.min(chunk.length, count - start);
            MemorySegment.copy(in, LittleEndian.I16, byteOffset + 2L * start, chunk, 0, n);
            f16ToFloats(chunk, 0, out, o + start, n);
        }
    }

    private static void f16ToFloats(short[] in, int i, float[] out, int o, int count) {
        for (int c = 0; c < count; c++) {
            out[o + c] = Half.f16ToFloat(in[i + c]);
        }
    }

    /// Stores `in[i, i + count)` as elements of type `dtype`, `byteOffset` bytes into `out`, rounded to nearest even.
    public static void narrow(float[] in, int i, int count, MemorySegment out, ElementType dtype, long byteOffset) {
        if (dtype == ElementType.F32) {
            MemorySegment.copy(in, i, out, LittleEndian.F32, byteOffset, count);
            return;
        }
        short[] chunk = CHUNK.get();
        for (int start = 0; start < count; start += chunk.length) {
            int n = Math.min(chunk.length, count - start);
            switch (dtype) {
                case BF16 -> floatsToBf16(in, i + start, chunk, n);
                case F16 -> floatsToF16(in, i + start, chunk, n);
                default -> throw new IllegalArgumentException("weights of type " + dtype);
            }
            MemorySegment.copy(chunk, 0, out, LittleEndian.I16, byteOffset + 2L * start, n);
        }
    }

    private static void floatsToBf16(float[] in, int i, short[] out, int count) {
        for (int c = 0; c < count; c++) {
            out[c] = Half.floatToBf16(in[i + c]);
        }
    }

    private static void floatsToF16(float[] in, int i, short[] out, int count) {
        for (int c = 0; c < count; c++) {
            out[c] = Half.floatToF16(in[i + c]);
        }
    }
}
