package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Elementary functions, a vector at a time. NaN gives NaN; infinities give the limits.
public final class Elementary {
    /// Below this, [#exp] gives 0 instead of numbers under 2^-125.
    private static final float EXP_LOWEST = -86.6434f;
    /// Above this, e^x is more than the largest float.
    private static final float EXP_HIGHEST = 88.72283f;

    private static final float LOG2_E = 1.44269504f;
    /// ln 2 in two parts; the first has few enough bits that its product with a small integer is exact.
    private static final float LN2_HIGH = 0.693359375f;

    private static final float LN2_LOW = -2.12194440e-4f;
    /// 1.5 · 2^23: adding it rounds to an integer, kept in the low bits.
    private static final float ROUNDER = 12582912f;

    private static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);

    private static final float SQRT_HALF = 0.70710678f;
    private static final float SQRT_2_OVER_PI = 0.79788456f;

    private Elementary() {}

    /// `a · b + c`, rounded once where the hardware can.
    static FloatVector fma(FloatVector a, FloatVector b, FloatVector c) {
        return Simd.FMA ? a.fma(b, c) : a.mul(b).add(c);
    }

    /// As the vector form, for one value.
    public static float fma(float a, float b, float c) {
        return Simd.FMA ? Math.fma(a, b, c) : a * b + c;
    }

    private static FloatVector fma(FloatVector a, FloatVector b, float c) {
        return fma(a, b, FloatVector.broadcast(Simd.F, c));
    }

    private static FloatVector fma(FloatVector a, float b, FloatVector c) {
        return fma(a, FloatVector.broadcast(Simd.F, b), c);
    }

    /// e^x, within 2 ulp; results below 2^-125 are 0.
    ///
    /// Range reduction x = n · ln 2 + r and a polynomial of degree 7 on |r| ≤ ln(2) / 2, as in Cephes' `expf`
    /// (S. Moshier, netlib.org/cephes). The coefficients are doubled, so that n − 1 is a float's exponent up to
    /// overflow.
    public static FloatVector exp(FloatVector x) {
        FloatVector shifted = fma(x, LOG2_E, FloatVector.broadcast(Simd.F, ROUNDER));
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = fma(n, -LN2_HIGH, x);
        r = fma(n, -LN2_LOW, r);
        FloatVector p = FloatVector.broadcast(Simd.F, 2 * 1.9875691500e-4f);
        p = fma(p, r, 2 * 1.3981999507e-3f);
        p = fma(p, r, 2 * 8.3334519073e-3f);
        p = fma(p, r, 2 * 4.1665795894e-2f);
        p = fma(p, r, 2 * 1.6666665459e-1f);
        p = fma(p, r, 2 * 5.0000001201e-1f);
        p = fma(p.mul(r), r, r.add(r)).add(2f);
        IntVector exponent = shifted.reinterpretAsInts().sub(ROUNDER_BITS - 126).lanewise(VectorOperators.LSHL, 23);
        FloatVector y = p.mul(exponent.reinterpretAsFloats());
        y = y.blend(0f, x.compare(VectorOperators.LT, EXP_LOWEST));
        return y.blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, EXP_HIGHEST));
    }

    /// As the vector form, for one value: the same operations, so the same bits.
    static float exp(float x) {
        float shifted = fma(x, LOG2_E, ROUNDER);
        float n = shifted - ROUNDER;
        float r = fma(n, -LN2_HIGH, x);
        r = fma(n, -LN2_LOW, r);
        float p = 2 * 1.9875691500e-4f;
        p = fma(p, r, 2 * 1.3981999507e-3f);
        p = fma(p, r, 2 * 8.3334519073e-3f);
        p = fma(p, r, 2 * 4.1665795894e-2f);
        p = fma(p, r, 2 * 1.6666665459e-1f);
        p = fma(p, r, 2 * 5.0000001201e-1f);
        p = fma(p * r, r, r + r) + 2f;
        int exponent = (Float.floatToRawIntBits(shifted) - (ROUNDER_BITS - 126)) << 23;
        float y = p * Float.intBitsToFloat(exponent);
        return x < EXP_LOWEST ? 0f : x > EXP_HIGHEST ? Float.POSITIVE_INFINITY : y;
    }

    /// As the vector form, for one value.
    static float geluTanh(float x) {
        float inner = fma(x * x, 0.044715f, 1f) * x;
        return x / (exp(inner * (-2f * SQRT_2_OVER_PI)) + 1f);
    }

    /// 1 / (1 + e^-x).
    public static FloatVector sigmoid(FloatVector x) {
        return FloatVector.broadcast(Simd.F, 1f).div(exp(x.neg()).add(1f));
    }

    /// tanh x, within 3 ulp: by e^-2|x|, and near 0 by x times a polynomial in x², as in Cephes' `tanhf`.
    public static FloatVector tanh(FloatVector x) {
        FloatVector z = x.abs();
        FloatVector e = exp(z.mul(-2f));
        FloatVector large = FloatVector.broadcast(Simd.F, 1f).sub(e).div(e.add(1f));
        FloatVector s = z.mul(z);
        FloatVector p = FloatVector.broadcast(Simd.F, -5.70498872745e-3f);
        p = fma(p, s, 2.06390887954e-2f);
        p = fma(p, s, -5.37397155531e-2f);
        p = fma(p, s, 1.33314422036e-1f);
        p = fma(p, s, -3.33332819422e-1f);
        FloatVector small = fma(p.mul(s), z, z);
        return copySign(large.blend(small, z.compare(VectorOperators.LT, 0.625f)), x);
    }

    /// erfc(z) / e^-z² for 0 ≤ z: a polynomial in t = 1 / (1 + z / 2), fitted on z < 9.4 (beyond, e^-z² is 0) with a
    /// relative error of at most 5e-8.
    private static FloatVector scaledErfc(FloatVector z) {
        FloatVector t = FloatVector.broadcast(Simd.F, 1f).div(fma(z, 0.5f, FloatVector.broadcast(Simd.F, 1f)));
        FloatVector p = FloatVector.broadcast(Simd.F, -5.8847064011e-02f);
        p = fma(p, t, 2.8348744155e-01f);
        p = fma(p, t, -4.8493651201e-01f);
        p = fma(p, t, 2.7546256352e-01f);
        p = fma(p, t, -2.4819289597e-02f);
        p = fma(p, t, 2.0191658944e-01f);
        p = fma(p, t, 2.4330022104e-01f);
        p = fma(p, t, 2.8234801431e-01f);
        p = fma(p, t, 2.8208799374e-01f);
        return p.mul(t);
    }

    /// x · Φ(x), with Φ from the tail: negative x lose no digits to cancellation. The error of Φ is at most 3e-7.
    public static FloatVector gelu(FloatVector x) {
        FloatVector z = x.abs().mul(SQRT_HALF);
        FloatVector tail = scaledErfc(z).mul(exp(z.mul(z).neg())).mul(0.5f);
        FloatVector upper = FloatVector.broadcast(Simd.F, 1f).sub(tail);
        return x.mul(tail.blend(upper, x.compare(VectorOperators.GT, 0f)));
    }

    /// 0.5 x (1 + tanh u) = x · sigmoid(2u), u = √(2/π) (x + 0.044715 x³).
    public static FloatVector geluTanh(FloatVector x) {
        FloatVector inner =
                fma(x.mul(x), 0.044715f, FloatVector.broadcast(Simd.F, 1f)).mul(x);
        return x.div(exp(inner.mul(-2f * SQRT_2_OVER_PI)).add(1f));
    }

    /// x · sigmoid(1.702 x).
    public static FloatVector geluQuick(FloatVector x) {
        return x.div(exp(x.mul(-1.702f)).add(1f));
    }

    /// x · sigmoid(x).
    public static FloatVector silu(FloatVector x) {
        return x.div(exp(x.neg()).add(1f));
    }

    /// max(x, 0).
    public static FloatVector relu(FloatVector x) {
        VectorMask<Float> negative = x.compare(VectorOperators.LT, 0f);
        return x.blend(0f, negative);
    }

    private static FloatVector copySign(FloatVector magnitude, FloatVector sign) {
        IntVector bits = sign.reinterpretAsInts().and(0x80000000);
        return magnitude.reinterpretAsInts().or(bits).reinterpretAsFloats();
    }
}
