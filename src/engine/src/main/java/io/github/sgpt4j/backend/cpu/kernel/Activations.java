package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.backend.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Activation functions over rows of arrays: one loop each, so that each compiles by itself.
public final class Activations {
    /// Values that the process computes one at a time before it turns to vectors: as long as the vector loops are not
    /// compiled, each of their operations allocates, and a short text is done sooner without.
    private static final int COLD_VALUES = 1 << 17;

    /// Values computed one at a time so far; races lose counts, which does no harm.
    private static int coldValues = Boolean.getBoolean("sgpt4j.cpu.warm") ? COLD_VALUES : 0;

    private Activations() {}

    /// `x[at, at + count) = activation(x)`, in place.
    public static void apply(Activation activation, float[] x, int at, int count) {
        if (coldValues < COLD_VALUES && hasScalarForm(activation)) {
            coldValues += count;
            for (int i = at; i < at + count; i++) {
                x[i] = scalar(activation, x[i]);
            }
            return;
        }
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

    private static boolean hasScalarForm(Activation activation) {
        return switch (activation) {
            case RELU, GELU_TANH, GELU_QUICK, SILU, SIGMOID -> true;
            case NONE, GELU, TANH -> false;
        };
    }

    /// One value: the same operations as the vector form, so the same bits.
    static float scalar(Activation activation, float x) {
        return switch (activation) {
            case RELU -> x < 0 ? 0f : x;
            case GELU_TANH -> Elementary.geluTanh(x);
            case GELU_QUICK -> x / (Elementary.exp(x * -1.702f) + 1f);
            case SILU -> x / (Elementary.exp(-x) + 1f);
            case SIGMOID -> 1f / (Elementary.exp(-x) + 1f);
            case NONE, GELU, TANH -> throw new IllegalArgumentException(activation + " has no scalar form");
        };
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
