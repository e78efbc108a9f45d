package io.github.sgpt4j.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/// Adds rows to sums of many rows.
public final class Accumulation {
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private Accumulation() {}

    /// `sums[o + i] += x[at + i]` for `i` in `[0, count)`.
    public static void add(float[] x, int at, int count, double[] sums, int o) {
        for (int i = 0; i < count; i++) {
            sums[o + i] += x[at + i];
        }
    }

    /// `sums[o + i] += d[j + i] · (x[at + i] − mean) · scale` for `i` in `[0, count)`.
    public static void addProducts(
            float[] d, int j, float[] x, int at, float mean, float scale, int count, double[] sums, int o) {
        for (int i = 0; i < count; i++) {
            sums[o + i] += (double) d[j + i] * (x[at + i] - mean) * scale;
        }
    }

    /// `out[o + i] += x[at + i] · weight` for `i` in `[0, count)`.
    public static void addWeighted(float[] x, int at, float weight, int count, float[] out, int o) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            FloatVector.fromArray(Simd.F, x, at + i)
                    .mul(weight)
                    .add(FloatVector.fromArray(Simd.F, out, o + i))
                    .intoArray(out, o + i);
        }
        for (; i < count; i++) {
            out[o + i] += x[at + i] * weight;
        }
    }

    /// Adds `x[at, at + count)` to floats outside the heap, in native byte order, from byte `to` on,
    /// a multiple of 4.
    public static void add(float[] x, int at, int count, MemorySegment sums, long to) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            long byteOffset = to + (long) i * Float.BYTES;
            FloatVector.fromMemorySegment(Simd.F, sums, byteOffset, ORDER)
                    .add(FloatVector.fromArray(Simd.F, x, at + i))
                    .intoMemorySegment(sums, byteOffset, ORDER);
        }
        for (; i < count; i++) {
            long byteOffset = to + (long) i * Float.BYTES;
            sums.set(ValueLayout.JAVA_FLOAT, byteOffset, sums.get(ValueLayout.JAVA_FLOAT, byteOffset) + x[at + i]);
        }
    }
}
