package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Elementary functions over arrays, a vector at a time, in place. NaN gives NaN; infinities give the limits.
///
/// Counts are whole vectors, multiples of [Simd#LANES]. Functions pass values through arrays only,
/// and e^x is written out where it is used: a vector that is an argument or a result is allocated
/// on the heap whenever the compiler does not inline the call, and that depends on what else it
/// compiles. Each loop is longer than the limit for inlining (325 bytes), so that it is compiled by
/// itself.
///
/// e^x, within 2 ulp, 0 below 2^-125: range reduction x = n · ln 2 + r and a polynomial of degree 7 on |r| ≤ ln(2) / 2,
/// as in Cephes' `expf` (S. Moshier, netlib.org/cephes). The coefficients are doubled, so that n − 1 is a float's
/// exponent up to overflow.
public final class Elementary {
    /// Below this, e^x is 0 instead of numbers under 2^-125.
    static final float EXP_LOWEST = -86.6434f;
    /// Above this, e^x is more than the largest float.
    static final float EXP_HIGHEST = 88.72283f;

    static final float LOG2_E = 1.44269504f;
    /// ln 2 in two parts; the first has few enough bits that its product with a small integer is exact.
    static final float LN2_HIGH = 0.693359375f;

    static final float LN2_LOW = -2.12194440e-4f;
    /// 1.5 · 2^23: adding it rounds to an integer, kept in the low bits.
    static final float ROUNDER = 12582912f;

    /// The difference between the bits of a rounded number and the exponent bits of 2^(n − 1).
    static final int EXPONENT_BIAS = Float.floatToRawIntBits(ROUNDER) - 126;

    static final float EXP_7 = 2 * 1.9875691500e-4f;
    static final float EXP_6 = 2 * 1.3981999507e-3f;
    static final float EXP_5 = 2 * 8.3334519073e-3f;
    static final float EXP_4 = 2 * 4.1665795894e-2f;
    static final float EXP_3 = 2 * 1.6666665459e-1f;
    static final float EXP_2 = 2 * 5.0000001201e-1f;

    private static final float SQRT_HALF = 0.70710678f;
    private static final float GELU_CUBIC = 0.044715f;
    /// −2 √(2/π).
    private static final float GELU_FACTOR = -2f * 0.79788456f;

    private static final VectorSpecies<Float> F = Simd.F;
    private static final int L = Simd.LANES;
    private static final boolean FMA = Simd.FMA;

    private Elementary() {}

    /// `a · b + c`, rounded once where the hardware can.
    public static float fma(float a, float b, float c) {
        return FMA ? Math.fma(a, b, c) : a * b + c;
    }

    /// e^x for one value: the same operations as the vector form, so the same bits.
    static float exp(float x) {
        float shifted = fma(x, LOG2_E, ROUNDER);
        float n = shifted - ROUNDER;
        float r = fma(n, -LN2_HIGH, x);
        r = fma(n, -LN2_LOW, r);
        float p = fma(r, EXP_7, EXP_6);
        p = fma(p, r, EXP_5);
        p = fma(p, r, EXP_4);
        p = fma(p, r, EXP_3);
        p = fma(p, r, EXP_2);
        p = fma(p * r, r, r + r) + 2f;
        int exponent = (Float.floatToRawIntBits(shifted) - EXPONENT_BIAS) << 23;
        float y = p * Float.intBitsToFloat(exponent);
        return x < EXP_LOWEST ? 0f : x > EXP_HIGHEST ? Float.POSITIVE_INFINITY : y;
    }

    /// The vector form for one value.
    static float geluTanh(float x) {
        float inner = fma(x * x, GELU_CUBIC, 1f) * x;
        return x / (exp(inner * GELU_FACTOR) + 1f);
    }

    /// e^x, within 2 ulp; results below 2^-125 are 0.
    public static void exp(float[] x, int at, int count) {
        FloatVector ln2High = FloatVector.broadcast(F, -LN2_HIGH);
        FloatVector ln2Low = FloatVector.broadcast(F, -LN2_LOW);
        FloatVector e5 = FloatVector.broadcast(F, EXP_5);
        FloatVector e4 = FloatVector.broadcast(F, EXP_4);
        FloatVector e3 = FloatVector.broadcast(F, EXP_3);
        FloatVector e2 = FloatVector.broadcast(F, EXP_2);
        for (int i = at; i < at + count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector shifted = FMA ? v.fma(LOG2_E, ROUNDER) : v.mul(LOG2_E).add(ROUNDER);
            FloatVector n = shifted.sub(ROUNDER);
            FloatVector r = FMA ? n.fma(ln2High, v) : n.mul(ln2High).add(v);
            r = FMA ? n.fma(ln2Low, r) : n.mul(ln2Low).add(r);
            FloatVector p = FMA ? r.fma(EXP_7, EXP_6) : r.mul(EXP_7).add(EXP_6);
            p = FMA ? p.fma(r, e5) : p.mul(r).add(EXP_5);
            p = FMA ? p.fma(r, e4) : p.mul(r).add(EXP_4);
            p = FMA ? p.fma(r, e3) : p.mul(r).add(EXP_3);
            p = FMA ? p.fma(r, e2) : p.mul(r).add(EXP_2);
            p = FMA ? p.mul(r).fma(r, r.add(r)) : p.mul(r).mul(r).add(r.add(r));
            IntVector exponent = shifted.reinterpretAsInts().sub(EXPONENT_BIAS).lanewise(VectorOperators.LSHL, 23);
            FloatVector y = p.add(2f).mul(exponent.reinterpretAsFloats());
            y = y.blend(0f, v.compare(VectorOperators.LT, EXP_LOWEST));
            y = y.blend(Float.POSITIVE_INFINITY, v.compare(VectorOperators.GT, EXP_HIGHEST));
            y.intoArray(x, i);
        }
    }

    /// x · sigmoid(1.702 x).
    static void geluQuick(float[] x, int at, int count) {
        gate(x, at, count, -1.702f);
    }

    /// x · sigmoid(x).
    static void silu(float[] x, int at, int count) {
        gate(x, at, count, -1f);
    }

    /// x / (e^(x · factor) + 1).
    private static void gate(float[] x, int at, int count, float factor) {
        FloatVector ln2High = FloatVector.broadcast(F, -LN2_HIGH);
        FloatVector ln2Low = FloatVector.broadcast(F, -LN2_LOW);
        FloatVector e5 = FloatVector.broadcast(F, EXP_5);
        FloatVector e4 = FloatVector.broadcast(F, EXP_4);
        FloatVector e3 = FloatVector.broadcast(F, EXP_3);
        FloatVector e2 = FloatVector.broadcast(F, EXP_2);
        for (int i = at; i < at + count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector u = v.mul(factor);
            FloatVector shifted = FMA ? u.fma(LOG2_E, ROUNDER) : u.mul(LOG2_E).add(ROUNDER);
            FloatVector n = shifted.sub(ROUNDER);
            FloatVector r = FMA ? n.fma(ln2High, u) : n.mul(ln2High).add(u);
            r = FMA ? n.fma(ln2Low, r) : n.mul(ln2Low).add(r);
            FloatVector p = FMA ? r.fma(EXP_7, EXP_6) : r.mul(EXP_7).add(EXP_6);
            p = FMA ? p.fma(r, e5) : p.mul(r).add(EXP_5);
            p = FMA ? p.fma(r, e4) : p.mul(r).add(EXP_4);
            p = FMA ? p.fma(r, e3) : p.mul(r).add(EXP_3);
            p = FMA ? p.fma(r, e2) : p.mul(r).add(EXP_2);
            p = FMA ? p.mul(r).fma(r, r.add(r)) : p.mul(r).mul(r).add(r.add(r));
            IntVector exponent = shifted.reinterpretAsInts().sub(EXPONENT_BIAS).lanewise(VectorOperators.LSHL, 23);
            FloatVector y = p.add(2f).mul(exponent.reinterpretAsFloats());
            y = y.blend(0f, u.compare(VectorOperators.LT, EXP_LOWEST));
            y = y.blend(Float.POSITIVE_INFINITY, u.compare(VectorOperators.GT, EXP_HIGHEST));
            v.div(y.add(1f)).intoArray(x, i);
        }
    }

    /// 1 / (1 + e^-x).
    static void sigmoid(float[] x, int at, int count) {
        for (int i = at; i < at + count; i += L) {
            FloatVector.fromArray(F, x, i).neg().intoArray(x, i);
        }
        exp(x, at, count);
        FloatVector one = FloatVector.broadcast(F, 1f);
        for (int i = at; i < at + count; i += L) {
            one.div(FloatVector.fromArray(F, x, i).add(1f)).intoArray(x, i);
        }
    }

    /// 0.5 x (1 + tanh u) = x · sigmoid(2u), u = √(2/π) (x + 0.044715 x³).
    static void geluTanh(float[] x, int at, int count) {
        FloatVector ln2High = FloatVector.broadcast(F, -LN2_HIGH);
        FloatVector ln2Low = FloatVector.broadcast(F, -LN2_LOW);
        FloatVector e5 = FloatVector.broadcast(F, EXP_5);
        FloatVector e4 = FloatVector.broadcast(F, EXP_4);
        FloatVector e3 = FloatVector.broadcast(F, EXP_3);
        FloatVector e2 = FloatVector.broadcast(F, EXP_2);
        for (int i = at; i < at + count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector square = v.mul(v);
            FloatVector u =
                    FMA ? square.fma(GELU_CUBIC, 1f) : square.mul(GELU_CUBIC).add(1f);
            u = u.mul(v).mul(GELU_FACTOR);
            FloatVector shifted = FMA ? u.fma(LOG2_E, ROUNDER) : u.mul(LOG2_E).add(ROUNDER);
            FloatVector n = shifted.sub(ROUNDER);
            FloatVector r = FMA ? n.fma(ln2High, u) : n.mul(ln2High).add(u);
            r = FMA ? n.fma(ln2Low, r) : n.mul(ln2Low).add(r);
            FloatVector p = FMA ? r.fma(EXP_7, EXP_6) : r.mul(EXP_7).add(EXP_6);
            p = FMA ? p.fma(r, e5) : p.mul(r).add(EXP_5);
            p = FMA ? p.fma(r, e4) : p.mul(r).add(EXP_4);
            p = FMA ? p.fma(r, e3) : p.mul(r).add(EXP_3);
            p = FMA ? p.fma(r, e2) : p.mul(r).add(EXP_2);
            p = FMA ? p.mul(r).fma(r, r.add(r)) : p.mul(r).mul(r).add(r.add(r));
            IntVector exponent = shifted.reinterpretAsInts().sub(EXPONENT_BIAS).lanewise(VectorOperators.LSHL, 23);
            FloatVector y = p.add(2f).mul(exponent.reinterpretAsFloats());
            y = y.blend(0f, u.compare(VectorOperators.LT, EXP_LOWEST));
            y = y.blend(Float.POSITIVE_INFINITY, u.compare(VectorOperators.GT, EXP_HIGHEST));
            v.div(y.add(1f)).intoArray(x, i);
        }
    }

    /// tanh x, within 3 ulp: by e^-2|x|, and near 0 by x times a polynomial in x², as in Cephes' `tanhf`.
    static void tanh(float[] x, int at, int count) {
        FloatVector t3 = FloatVector.broadcast(F, -5.37397155531e-2f);
        FloatVector t2 = FloatVector.broadcast(F, 1.33314422036e-1f);
        FloatVector t1 = FloatVector.broadcast(F, -3.33332819422e-1f);
        FloatVector ln2High = FloatVector.broadcast(F, -LN2_HIGH);
        FloatVector ln2Low = FloatVector.broadcast(F, -LN2_LOW);
        FloatVector e5 = FloatVector.broadcast(F, EXP_5);
        FloatVector e4 = FloatVector.broadcast(F, EXP_4);
        FloatVector e3 = FloatVector.broadcast(F, EXP_3);
        FloatVector e2 = FloatVector.broadcast(F, EXP_2);
        for (int i = at; i < at + count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector z = v.abs();
            FloatVector u = z.mul(-2f);
            FloatVector shifted = FMA ? u.fma(LOG2_E, ROUNDER) : u.mul(LOG2_E).add(ROUNDER);
            FloatVector n = shifted.sub(ROUNDER);
            FloatVector r = FMA ? n.fma(ln2High, u) : n.mul(ln2High).add(u);
            r = FMA ? n.fma(ln2Low, r) : n.mul(ln2Low).add(r);
            FloatVector p = FMA ? r.fma(EXP_7, EXP_6) : r.mul(EXP_7).add(EXP_6);
            p = FMA ? p.fma(r, e5) : p.mul(r).add(EXP_5);
            p = FMA ? p.fma(r, e4) : p.mul(r).add(EXP_4);
            p = FMA ? p.fma(r, e3) : p.mul(r).add(EXP_3);
            p = FMA ? p.fma(r, e2) : p.mul(r).add(EXP_2);
            p = FMA ? p.mul(r).fma(r, r.add(r)) : p.mul(r).mul(r).add(r.add(r));
            IntVector exponent = shifted.reinterpretAsInts().sub(EXPONENT_BIAS).lanewise(VectorOperators.LSHL, 23);
            FloatVector y = p.add(2f).mul(exponent.reinterpretAsFloats());
            y = y.blend(0f, u.compare(VectorOperators.LT, EXP_LOWEST));
            y = y.blend(Float.POSITIVE_INFINITY, u.compare(VectorOperators.GT, EXP_HIGHEST));
            FloatVector large = FloatVector.broadcast(F, 1f).sub(y).div(y.add(1f));
            FloatVector s = z.mul(z);
            FloatVector q = FMA
                    ? s.fma(-5.70498872745e-3f, 2.06390887954e-2f)
                    : s.mul(-5.70498872745e-3f).add(2.06390887954e-2f);
            q = FMA ? q.fma(s, t3) : q.mul(s).add(t3);
            q = FMA ? q.fma(s, t2) : q.mul(s).add(t2);
            q = FMA ? q.fma(s, t1) : q.mul(s).add(t1);
            FloatVector small = FMA ? q.mul(s).fma(z, z) : q.mul(s).mul(z).add(z);
            FloatVector size = large.blend(small, z.compare(VectorOperators.LT, 0.625f));
            IntVector sign = v.reinterpretAsInts().and(0x80000000);
            size.reinterpretAsInts().or(sign).reinterpretAsFloats().intoArray(x, i);
        }
    }

    /// x · Φ(x), with Φ from the tail: negative x lose no digits to cancellation. The error of Φ is at most 3e-7.
    ///
    /// erfc(z) / e^-z² for 0 ≤ z is a polynomial in t = 1 / (1 + z / 2), fitted on z < 9.4, with a relative error
    /// of at most 5e-8. Beyond, e^-z² is 0.
    static void gelu(float[] x, int at, int count) {
        FloatVector one = FloatVector.broadcast(F, 1f);
        FloatVector ln2High = FloatVector.broadcast(F, -LN2_HIGH);
        FloatVector ln2Low = FloatVector.broadcast(F, -LN2_LOW);
        FloatVector e5 = FloatVector.broadcast(F, EXP_5);
        FloatVector e4 = FloatVector.broadcast(F, EXP_4);
        FloatVector e3 = FloatVector.broadcast(F, EXP_3);
        FloatVector e2 = FloatVector.broadcast(F, EXP_2);
        for (int i = at; i < at + count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            FloatVector z = v.abs().mul(SQRT_HALF);
            FloatVector u = z.mul(z).neg();
            FloatVector shifted = FMA ? u.fma(LOG2_E, ROUNDER) : u.mul(LOG2_E).add(ROUNDER);
            FloatVector n = shifted.sub(ROUNDER);
            FloatVector r = FMA ? n.fma(ln2High, u) : n.mul(ln2High).add(u);
            r = FMA ? n.fma(ln2Low, r) : n.mul(ln2Low).add(r);
            FloatVector p = FMA ? r.fma(EXP_7, EXP_6) : r.mul(EXP_7).add(EXP_6);
            p = FMA ? p.fma(r, e5) : p.mul(r).add(EXP_5);
            p = FMA ? p.fma(r, e4) : p.mul(r).add(EXP_4);
            p = FMA ? p.fma(r, e3) : p.mul(r).add(EXP_3);
            p = FMA ? p.fma(r, e2) : p.mul(r).add(EXP_2);
            p = FMA ? p.mul(r).fma(r, r.add(r)) : p.mul(r).mul(r).add(r.add(r));
            IntVector exponent = shifted.reinterpretAsInts().sub(EXPONENT_BIAS).lanewise(VectorOperators.LSHL, 23);
            FloatVector y = p.add(2f).mul(exponent.reinterpretAsFloats());
            y = y.blend(0f, u.compare(VectorOperators.LT, EXP_LOWEST));
            y = y.blend(Float.POSITIVE_INFINITY, u.compare(VectorOperators.GT, EXP_HIGHEST));
            FloatVector t = one.div(FMA ? z.fma(0.5f, 1f) : z.mul(0.5f).add(1f));
            FloatVector q = FMA
                    ? t.fma(-5.8847064011e-02f, 2.8348744155e-01f)
                    : t.mul(-5.8847064011e-02f).add(2.8348744155e-01f);
            q = FMA
                    ? q.fma(t, FloatVector.broadcast(F, -4.8493651201e-01f))
                    : q.mul(t).add(-4.8493651201e-01f);
            q = FMA
                    ? q.fma(t, FloatVector.broadcast(F, 2.7546256352e-01f))
                    : q.mul(t).add(2.7546256352e-01f);
            q = FMA
                    ? q.fma(t, FloatVector.broadcast(F, -2.4819289597e-02f))
                    : q.mul(t).add(-2.4819289597e-02f);
            q = FMA
                    ? q.fma(t, FloatVector.broadcast(F, 2.0191658944e-01f))
                    : q.mul(t).add(2.0191658944e-01f);
            q = FMA
                    ? q.fma(t, FloatVector.broadcast(F, 2.4330022104e-01f))
                    : q.mul(t).add(2.4330022104e-01f);
            q = FMA
                    ? q.fma(t, FloatVector.broadcast(F, 2.8234801431e-01f))
                    : q.mul(t).add(2.8234801431e-01f);
            q = FMA
                    ? q.fma(t, FloatVector.broadcast(F, 2.8208799374e-01f))
                    : q.mul(t).add(2.8208799374e-01f);
            FloatVector tail = q.mul(t).mul(y).mul(0.5f);
            v.mul(tail.blend(one.sub(tail), v.compare(VectorOperators.GT, 0f))).intoArray(x, i);
        }
    }

    /// max(x, 0).
    static void relu(float[] x, int at, int count) {
        for (int i = at; i < at + count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, i);
            v.blend(0f, v.compare(VectorOperators.LT, 0f)).intoArray(x, i);
        }
    }
}
