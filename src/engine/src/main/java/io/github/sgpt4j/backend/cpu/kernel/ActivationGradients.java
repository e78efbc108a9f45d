package io.github.sgpt4j.backend.cpu.kernel;

import io.github.sgpt4j.backend.Activation;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Derivatives of [Activations], multiplied into gradients. NaN gives NaN; infinities give the limits.
///
/// With σ(u) = 1 / (1 + e^-u), the derivative of σ is e / (1 + e)², e = e^-|u|, which loses no digits in either tail.
/// Values go through buffers of [#BLOCK] floats: [Elementary] computes in place, whole vectors at a time.
public final class ActivationGradients {
    /// Values per step, a multiple of [Simd#LANES].
    private static final int BLOCK = 512;

    private static final VectorSpecies<Float> F = Simd.F;
    private static final int L = Simd.LANES;
    private static final boolean FMA = Simd.FMA;

    private static final float QUICK = 1.702f;
    private static final float CUBIC = 0.044715f;
    /// 2 √(2/π).
    private static final float TANH_FACTOR = 2f * 0.79788456f;
    /// 1 / √(2π).
    private static final float DENSITY = 0.39894228f;

    /// Beyond this distance from 0, the derivatives of GELU and GELU_TANH are 0 and 1 in 32 bits.
    private static final float GELU_LIMIT = 20f;
    /// As above, for σ and what is made of it.
    private static final float SIGMOID_LIMIT = 100f;

    /// Up to this distance from 0, Φ(x) is 1/2 in 32 bits.
    private static final float NEAR_ZERO = 1e-8f;

    private static final class Buffers {
        private final float[] values = new float[BLOCK];
        private final float[] powers = new float[BLOCK];
        private final float[] functions = new float[BLOCK];
    }

    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

    private ActivationGradients() {}

    /// `d[o + i] *= activation′(x[at + i])` for `i` in `[0, count)`.
    public static void multiply(Activation activation, float[] x, int at, float[] d, int o, int count) {
        if (activation == Activation.NONE) {
            return;
        }
        Buffers buffers = BUFFERS.get();
        for (int i = 0; i < count; i += BLOCK) {
            int n = Math.min(BLOCK, count - i);
            int whole = (n + L - 1) / L * L;
            System.arraycopy(x, at + i, buffers.values, 0, n);
            Arrays.fill(buffers.values, n, whole, 0f);
            derivative(activation, buffers, whole);
            multiply(buffers.values, 0, d, o + i, n);
        }
    }

    /// The gradient of `activation(x[gate + i]) · x[up + i]`, both halves, for `i` in `[0, count)`.
    ///
    /// @param d gradients of the products from `at` on
    /// @param dX the gradients of the gates go to `dGate`, the others to `dUp`
    public static void gated(
            Activation activation,
            float[] x,
            int gate,
            int up,
            float[] d,
            int at,
            float[] dX,
            int dGate,
            int dUp,
            int count) {
        System.arraycopy(x, up, dX, dGate, count);
        multiply(d, at, dX, dGate, count);
        multiply(activation, x, gate, dX, dGate, count);
        System.arraycopy(x, gate, dX, dUp, count);
        Activations.apply(activation, dX, dUp, count);
        multiply(d, at, dX, dUp, count);
    }

    /// `out[o + i] *= x[at + i]`; two arrays, or parts of one that do not overlap.
    private static void multiply(float[] x, int at, float[] out, int o, int count) {
        int i = 0;
        for (; i < F.loopBound(count); i += L) {
            FloatVector.fromArray(F, out, o + i)
                    .mul(FloatVector.fromArray(F, x, at + i))
                    .intoArray(out, o + i);
        }
        for (; i < count; i++) {
            out[o + i] *= x[at + i];
        }
    }

    /// Replaces the first `count` of the buffered values, whole vectors, by the derivatives there.
    private static void derivative(Activation activation, Buffers buffers, int count) {
        float[] x = buffers.values;
        switch (activation) {
            case NONE -> throw new IllegalArgumentException("the derivative of NONE is 1");
            case RELU -> relu(x, count);
            case GELU -> gelu(x, buffers.powers, buffers.functions, count);
            case GELU_TANH -> geluTanh(x, buffers.powers, count);
            case GELU_QUICK -> gate(x, buffers.powers, count, QUICK);
            case SILU -> gate(x, buffers.powers, count, 1f);
            case TANH -> bell(x, count, 2f, 4f);
            case SIGMOID -> bell(x, count, 1f, 1f);
        }
    }

    private static void relu(float[] x, int count) {
        FloatVector one = FloatVector.broadcast(F, 1f);
        for (int i = 0; i < count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector step = v.mul(0f).blend(one, v.compare(VectorOperators.GT, 0f));
            step.blend(0f, v.compare(VectorOperators.LT, 0f)).intoArray(x, i);
        }
    }

    /// `size · e / (1 + e)²`, e = e^(−|x · factor|): σ′ for factor 1, and 1 − tanh² for factor 2 and size 4.
    private static void bell(float[] x, int count, float factor, float size) {
        for (int i = 0; i < count; i += L) {
            FloatVector.fromArray(F, x, i).abs().mul(-factor).intoArray(x, i);
        }
        Elementary.exp(x, 0, count);
        for (int i = 0; i < count; i += L) {
            FloatVector e = FloatVector.fromArray(F, x, i);
            FloatVector sum = e.add(1f);
            e.mul(size).div(sum.mul(sum)).intoArray(x, i);
        }
    }

    /// The derivative of x · σ(factor · x): σ(u) + u · σ′(u), u = factor · x.
    private static void gate(float[] x, float[] powers, int count, float factor) {
        for (int i = 0; i < count; i += L) {
            FloatVector u = FloatVector.fromArray(F, x, i)
                    .mul(factor)
                    .min(SIGMOID_LIMIT)
                    .max(-SIGMOID_LIMIT);
            u.intoArray(x, i);
            u.abs().neg().intoArray(powers, i);
        }
        Elementary.exp(powers, 0, count);
        FloatVector one = FloatVector.broadcast(F, 1f);
        for (int i = 0; i < count; i += L) {
            FloatVector u = FloatVector.fromArray(F, x, i);
            FloatVector e = FloatVector.fromArray(F, powers, i);
            FloatVector part = one.div(e.add(1f));
            FloatVector sigmoid = e.mul(part).blend(part, u.compare(VectorOperators.GE, 0f));
            FloatVector slope = e.mul(part).mul(part);
            (FMA ? u.fma(slope, sigmoid) : u.mul(slope).add(sigmoid)).intoArray(x, i);
        }
    }

    /// The derivative of x · σ(w): σ(w) + x · w′ · σ′(w), w = 2 √(2/π) (x + 0.044715 x³).
    private static void geluTanh(float[] x, float[] powers, int count) {
        for (int i = 0; i < count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i).min(GELU_LIMIT).max(-GELU_LIMIT);
            v.intoArray(x, i);
            FloatVector square = v.mul(v);
            FloatVector w = (FMA ? square.fma(CUBIC, 1f) : square.mul(CUBIC).add(1f)).mul(v);
            w.mul(TANH_FACTOR).abs().neg().intoArray(powers, i);
        }
        Elementary.exp(powers, 0, count);
        FloatVector one = FloatVector.broadcast(F, 1f);
        for (int i = 0; i < count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector e = FloatVector.fromArray(F, powers, i);
            FloatVector part = one.div(e.add(1f));
            FloatVector sigmoid = e.mul(part).blend(part, v.compare(VectorOperators.GE, 0f));
            FloatVector slope = e.mul(part).mul(part).mul(TANH_FACTOR);
            FloatVector square = v.mul(v);
            FloatVector inner =
                    (FMA ? square.fma(3 * CUBIC, 1f) : square.mul(3 * CUBIC).add(1f)).mul(v);
            (FMA ? inner.fma(slope, sigmoid) : inner.mul(slope).add(sigmoid)).intoArray(x, i);
        }
    }

    /// The derivative of x · Φ(x): Φ(x) + x · e^(−x²/2) / √(2π), with Φ as the quotient of GELU and x.
    private static void gelu(float[] x, float[] powers, float[] functions, int count) {
        for (int i = 0; i < count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i).min(GELU_LIMIT).max(-GELU_LIMIT);
            v.intoArray(x, i);
            v.intoArray(functions, i);
            v.mul(v).mul(-0.5f).intoArray(powers, i);
        }
        Elementary.gelu(functions, 0, count);
        Elementary.exp(powers, 0, count);
        for (int i = 0; i < count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector density = FloatVector.fromArray(F, powers, i).mul(DENSITY);
            FloatVector distribution = FloatVector.fromArray(F, functions, i)
                    .div(v)
                    .blend(0.5f, v.abs().compare(VectorOperators.LT, NEAR_ZERO));
            (FMA ? v.fma(density, distribution) : v.mul(density).add(distribution)).intoArray(x, i);
        }
    }
}
