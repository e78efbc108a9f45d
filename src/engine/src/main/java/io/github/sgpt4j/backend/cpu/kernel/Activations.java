package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.backend.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Activation functions over rows of arrays: one loop each, so that each compiles by itself.
public final class Activations {
    private Activations() {}

    /// `x[at, at + count) = activation(x)`, in place.
    public static void apply(Activation activation, float[] x, int at, int count) {
        switch (activation) {
            case NONE -> {}
            case RELU -> relu(x, at, count);
            case GELU -> gelu(x, at, count);
            case GELU_TANH -> geluTanh(x, at, count);
            case GELU_QUICK -> geluQuick(x, at, count);
            case SILU -> silu(x, at, count);
            case TANH -> tanh(x, at, count);
            case SIGMOID -> sigmoid(x, at, count);
        }
    }

    private static void relu(float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            Elementary.relu(FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            Elementary.relu(FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    private static void gelu(float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            Elementary.gelu(FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            Elementary.gelu(FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    private static void geluTanh(float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            Elementary.geluTanh(FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            Elementary.geluTanh(FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    private static void geluQuick(float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            Elementary.geluQuick(FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            Elementary.geluQuick(FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    private static void silu(float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            Elementary.silu(FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            Elementary.silu(FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    private static void tanh(float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            Elementary.tanh(FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            Elementary.tanh(FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    private static void sigmoid(float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            Elementary.sigmoid(FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            Elementary.sigmoid(FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    /// `out[o + i] = activation(x[gate + i]) · x[up + i]` for `i` in `[0, count)`.
    public static void gated(Activation activation, float[] x, int gate, int up, float[] out, int o, int count) {
        System.arraycopy(x, gate, out, o, count);
        apply(activation, out, o, count);
        for (int i = 0; i < count; i++) {
            out[o + i] *= x[up + i];
        }
    }
}
