package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.tensor.DType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Stored numbers to floats and back. Segments may start at any byte.
public final class Widening {
    private Widening() {}

    /// `out[o, o + count) =` the `count` elements of type `dtype` that start `byteOffset` bytes into `in`.
    public static void widen(MemorySegment in, DType dtype, long byteOffset, float[] out, int o, int count) {
        switch (dtype) {
            case F32 -> MemorySegment.copy(in, LittleEndian.F32, byteOffset, out, o, count);
            case BF16 -> widenBf16(in, byteOffset, out, o, count);
            case F16 -> widenF16(in, byteOffset, out, o, count);
            default -> throw new IllegalArgumentException("weights of type " + dtype);
        }
    }

    private static void widenBf16(MemorySegment in, long byteOffset, float[] out, int o, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            IntVector bits =
                    (IntVector) ShortVector.fromMemorySegment(Simd.S, in, byteOffset + 2L * i, ByteOrder.LITTLE_ENDIAN)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, Simd.I, 0);
            bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, o + i);
        }
        for (; i < count; i++) {
            out[o + i] = Half.bf16ToFloat(in.get(LittleEndian.I16, byteOffset + 2L * i));
        }
    }

    private static void widenF16(MemorySegment in, long byteOffset, float[] out, int o, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            IntVector bits =
                    (IntVector) ShortVector.fromMemorySegment(Simd.S, in, byteOffset + 2L * i, ByteOrder.LITTLE_ENDIAN)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, Simd.I, 0);
            halves(bits).intoArray(out, o + i);
        }
        for (; i < count; i++) {
            out[o + i] = Half.f16ToFloat(in.get(LittleEndian.I16, byteOffset + 2L * i));
        }
    }

    /// Half-precision bit patterns to floats, by moving the fields and mending the two special exponents: zero
    /// (2^-14 too much was added by giving it the smallest normal exponent) and 31 (infinity, NaN).
    private static FloatVector halves(IntVector bits) {
        IntVector magnitude = bits.and(0x7fff).lanewise(VectorOperators.LSHL, 13);
        IntVector sign = bits.and(0x8000).lanewise(VectorOperators.LSHL, 16);
        IntVector normal = magnitude.add(112 << 23);
        FloatVector subnormal = magnitude.add(113 << 23).reinterpretAsFloats().sub(0x1p-14f);
        VectorMask<Integer> tiny = magnitude.compare(VectorOperators.LT, 1 << 23);
        VectorMask<Integer> special = magnitude.compare(VectorOperators.GE, 31 << 23);
        IntVector value = normal.blend(subnormal.reinterpretAsInts(), tiny).blend(magnitude.or(0x7f800000), special);
        return value.or(sign).reinterpretAsFloats();
    }

    /// Stores `in[i, i + count)` as elements of type `dtype`, `byteOffset` bytes into `out`, rounded to nearest even.
    public static void narrow(float[] in, int i, int count, MemorySegment out, DType dtype, long byteOffset) {
        switch (dtype) {
            case F32 -> MemorySegment.copy(in, i, out, LittleEndian.F32, byteOffset, count);
            case BF16 -> {
                for (int c = 0; c < count; c++) {
                    out.set(LittleEndian.I16, byteOffset + 2L * c, Half.floatToBf16(in[i + c]));
                }
            }
            case F16 -> {
                for (int c = 0; c < count; c++) {
                    out.set(LittleEndian.I16, byteOffset + 2L * c, Half.floatToF16(in[i + c]));
                }
            }
            default -> throw new IllegalArgumentException("weights of type " + dtype);
        }
    }
}
