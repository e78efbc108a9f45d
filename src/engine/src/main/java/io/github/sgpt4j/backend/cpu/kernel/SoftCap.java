package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.backend.Activation;
import jdk.incubator.vector.FloatVector;

/// The bound of scores and logits of Gemma 2 (arXiv 2408.00118): `softcap · tanh(x / softcap)`.
public final class SoftCap {
    private SoftCap() {}

    /// Bounds `x[at, at + count)` in place.
    ///
    /// @param softcap positive
    public static void apply(float softcap, float[] x, int at, int count) {
        scale(x, at, count, 1f / softcap);
        Activations.apply(Activation.TANH, x, at, count);
        scale(x, at, count, softcap);
    }

    private static void scale(float[] x, int at, int count, float factor) {
        int whole = Simd.F.loopBound(count);
        for (int i = at; i < at + whole; i += Simd.LANES) {
            FloatVector.fromArray(Simd.F, x, i).mul(factor).intoArray(x, i);
        }
        for (int i = at + whole; i < at + count; i++) {
            x[i] *= factor;
        }
    }
}
