package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.backend.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Activation functions over rows of arrays.
public final class Activations {
    private Activations() {}

    static FloatVector apply(Activation activation, FloatVector x) {
        return switch (activation) {
            case NONE -> x;
            case RELU -> Elementary.relu(x);
            case GELU -> Elementary.gelu(x);
            case GELU_TANH -> Elementary.geluTanh(x);
            case GELU_QUICK -> Elementary.geluQuick(x);
            case SILU -> Elementary.silu(x);
            case TANH -> Elementary.tanh(x);
            case SIGMOID -> Elementary.sigmoid(x);
        };
    }

    /// `x[at, at + count) = activation(x)`, in place.
    public static void apply(Activation activation, float[] x, int at, int count) {
        switch (activation) {
            case NONE -> {}
            case RELU -> relu(x, at, count);
            case GELU -> gelu(x, at, count);
            case GELU_TANH -> geluTanh(x, at, count);
            case GELU_QUICK, SILU, TANH, SIGMOID -> rare(activation, x, at, count);
        }
    }

    private static void relu(float[] x, int at, int count) {
        for (int i = 0; i < count; i++) {
            x[at + i] = x[at + i] < 0f ? 0f : x[at + i];
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

    private static void rare(Activation activation, float[] x, int at, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            apply(activation, FloatVector.fromArray(Simd.F, x, at + i)).intoArray(x, at + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            apply(activation, FloatVector.fromArray(Simd.F, x, at + i, mask)).intoArray(x, at + i, mask);
        }
    }

    /// `out[o + i] = activation(x[gate + i]) · x[up + i]` for `i` in `[0, count)`.
    public static void gated(Activation activation, float[] x, int gate, int up, float[] out, int o, int count) {
        if (activation == Activation.SILU) {
            gatedSilu(x, gate, up, out, o, count);
            return;
        }
        System.arraycopy(x, gate, out, o, count);
        apply(activation, out, o, count);
        for (int i = 0; i < count; i++) {
            out[o + i] *= x[up + i];
        }
    }

    private static void gatedSilu(float[] x, int gate, int up, float[] out, int o, int count) {
        int i = 0;
        for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
            FloatVector g = Elementary.silu(FloatVector.fromArray(Simd.F, x, gate + i));
            g.mul(FloatVector.fromArray(Simd.F, x, up + i)).intoArray(out, o + i);
        }
        if (i < count) {
            VectorMask<Float> mask = Simd.F.indexInRange(i, count);
            FloatVector g = Elementary.silu(FloatVector.fromArray(Simd.F, x, gate + i, mask));
            g.mul(FloatVector.fromArray(Simd.F, x, up + i, mask)).intoArray(out, o + i, mask);
        }
    }
}
