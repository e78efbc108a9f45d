package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// The largest magnitude among numbers.
public final class Largest {
    private static final int LANES = Simd.LANES;

    private Largest() {}

    /// The bits of the largest magnitude; larger than those of infinity only if there is a NaN.
    public static int bits(float[] x, int at, int count) {
        IntVector a = IntVector.zero(Simd.I);
        IntVector b = a;
        int i = 0;
        for (; i <= count - 2 * LANES; i += 2 * LANES) {
            a = a.max(
                    FloatVector.fromArray(Simd.F, x, at + i).reinterpretAsInts().and(Integer.MAX_VALUE));
            b = b.max(FloatVector.fromArray(Simd.F, x, at + i + LANES)
                    .reinterpretAsInts()
                    .and(Integer.MAX_VALUE));
        }
        int largest = a.max(b).reduceLanes(VectorOperators.MAX);
        for (; i < count; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(x[at + i]) & Integer.MAX_VALUE);
        }
        return largest;
    }
}
