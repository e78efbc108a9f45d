package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.backend.Activation;
import jdk.incubator.vector.FloatVector;

/// Activation functions over rows of arrays.
public final class Activations {
    /// Values that the process computes one at a time before it switches to vectors: until the
    /// vector loops are compiled, each of their operations allocates, and a short text is faster
    /// without them.
    private static final int COLD_VALUES = 1 << 17;

    /// Values computed one at a time so far; updates lost in races do no harm.
    private static int coldValues = Boolean.getBoolean("sgpt4j.cpu.warm") ? COLD_VALUES : 0;

    /// Buffer for the last values of a row, fewer than a vector.
    private static final ThreadLocal<float[]> REST = ThreadLocal.withInitial(() -> new float[Simd.LANES]);

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
        int whole = Simd.F.loopBound(count);
        vectors(activation, x, at, whole);
        if (whole < count) {
            float[] rest = REST.get();
            System.arraycopy(x, at + whole, rest, 0, count - whole);
            vectors(activation, rest, 0, Simd.LANES);
            System.arraycopy(rest, 0, x, at + whole, count - whole);
        }
    }

    private static void vectors(Activation activation, float[] x, int at, int count) {
        switch (activation) {
            case NONE -> {}
            case RELU -> Elementary.relu(x, at, count);
            case GELU -> Elementary.gelu(x, at, count);
            case GELU_TANH -> Elementary.geluTanh(x, at, count);
            case GELU_QUICK -> Elementary.geluQuick(x, at, count);
            case SILU -> Elementary.silu(x, at, count);
            case TANH -> Elementary.tanh(x, at, count);
            case SIGMOID -> Elementary.sigmoid(x, at, count);
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

    /// `out[o + i] = activation(x[gate + i]) · x[up + i]` for `i` in `[0, count)`.
    public static void gated(Activation activation, float[] x, int gate, int up, float[] out, int o, int count) {
        System.arraycopy(x, gate, out, o, count);
        apply(activation, out, o, count);
        int i = 0;
        // Vectorised by hand: the compiler does not do it, because the two arrays might be the
        // same.
        if (coldValues >= COLD_VALUES) {
            for (; i < Simd.F.loopBound(count); i += Simd.LANES) {
                FloatVector.fromArray(Simd.F, out, o + i)
                        .mul(FloatVector.fromArray(Simd.F, x, up + i))
                        .intoArray(out, o + i);
            }
        }
        for (; i < count; i++) {
            out[o + i] *= x[up + i];
        }
    }
}
