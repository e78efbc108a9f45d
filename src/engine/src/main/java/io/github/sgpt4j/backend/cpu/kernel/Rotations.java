package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;

/// Rotary embedding of one head's vector in place.
public final class Rotations {
    private Rotations() {}

    /// Rotates pairs `(p, p + pairs)`.
    ///
    /// @param cos,sin `[pairs]` from `t` on
    public static void split(float[] x, int at, int pairs, float[] cos, float[] sin, int t) {
        int other = at + pairs;
        int p = 0;
        for (; p < Simd.F.loopBound(pairs); p += Simd.LANES) {
            FloatVector c = FloatVector.fromArray(Simd.F, cos, t + p);
            FloatVector s = FloatVector.fromArray(Simd.F, sin, t + p);
            FloatVector a = FloatVector.fromArray(Simd.F, x, at + p);
            FloatVector b = FloatVector.fromArray(Simd.F, x, other + p);
            a.mul(c).sub(b.mul(s)).intoArray(x, at + p);
            b.mul(c).add(a.mul(s)).intoArray(x, other + p);
        }
        for (; p < pairs; p++) {
            float a = x[at + p];
            float b = x[other + p];
            x[at + p] = a * cos[t + p] - b * sin[t + p];
            x[other + p] = b * cos[t + p] + a * sin[t + p];
        }
    }

    /// Rotates pairs `(2p, 2p + 1)`.
    public static void interleaved(float[] x, int at, int pairs, float[] cos, float[] sin, int t) {
        for (int p = 0; p < pairs; p++) {
            float a = x[at + 2 * p];
            float b = x[at + 2 * p + 1];
            x[at + 2 * p] = a * cos[t + p] - b * sin[t + p];
            x[at + 2 * p + 1] = b * cos[t + p] + a * sin[t + p];
        }
    }
}
