package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;

/// Converts floating-point numbers, little-endian, each rounded once to the nearest, ties to even.
final class Conversion {
    private Conversion() {}

    static boolean isFloating(ElementType type) {
        return type == ElementType.F64
                || type == ElementType.F32
                || type == ElementType.F16
                || type == ElementType.BF16;
    }

    /// Converts the first `count` numbers of `in` into the first of `out`.
    ///
    /// @param values buffer for `count` numbers
    static void convert(
            ElementType from, MemorySegment in, ElementType to, MemorySegment out, float[] values, int count) {
        if (!isFloating(from) || !to.isWeight()) {
            throw new IllegalArgumentException("cannot convert %s to %s".formatted(from, to));
        }
        widen(from, in, to, values, count);
        switch (to) {
            case F32 -> MemorySegment.copy(values, 0, out, LittleEndian.F32, 0, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out.set(LittleEndian.I16, 2L * i, Half.floatToF16(values[i]));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out.set(LittleEndian.I16, 2L * i, Half.floatToBf16(values[i]));
                }
            }
            default -> throw new IllegalArgumentException("cannot convert to " + to);
        }
    }

    private static void widen(ElementType from, MemorySegment in, ElementType to, float[] values, int count) {
        switch (from) {
            case F32 -> MemorySegment.copy(in, LittleEndian.F32, 0, values, 0, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    values[i] = Half.f16ToFloat(in.get(LittleEndian.I16, 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    values[i] = Half.bf16ToFloat(in.get(LittleEndian.I16, 2L * i));
                }
            }
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    double value = in.get(LittleEndian.F64, 8L * i);
                    values[i] = to == ElementType.F32 ? (float) value : roundToOdd(value);
                }
            }
            default -> throw new IllegalArgumentException("cannot convert from " + from);
        }
    }

    /// A number that is not a `float` becomes the neighbour whose last bit is 1. Rounding the result to
    /// a type with at least two bits less gives the same as rounding `value` itself; rounding to
    /// nearest twice does not (Boldo and Melquiond, "When double rounding is odd", 2005).
    static float roundToOdd(double value) {
        float near = (float) value;
        int bits = Float.floatToRawIntBits(near);
        if (Double.isNaN(value) || near == value || (bits & 1) == 1) {
            return near;
        }
        return Float.intBitsToFloat(Math.abs(value) > Math.abs((double) near) ? bits + 1 : bits - 1);
    }
}
