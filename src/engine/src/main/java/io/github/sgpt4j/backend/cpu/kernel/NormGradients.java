package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;

/// Gradients of [Norms], one row at a time. Each [#CHUNK] values are summed in floats, and the chunks in doubles.
///
/// With g = d ∘ gain and x̂ = (x − mean) · scale: dX = scale · (g − mean(g) − x̂ · mean(g ∘ x̂)); for RMS, both x's and
/// g's mean are left out.
public final class NormGradients {
    private static final int CHUNK = 512;

    private static final ThreadLocal<float[]> LANES = ThreadLocal.withInitial(() -> new float[Simd.LANES]);

    private NormGradients() {}

    /// The gradient of [Norms#layer] over `n` values; `d` and `dX` may be the same.
    ///
    /// @param d gradient of the result, from `i` on
    /// @param add whether to add to `dX` instead
    public static void layer(
            float[] x, int at, int n, float[] gain, float epsilon, float[] d, int i, boolean add, float[] dX, int o) {
        float mean = Norms.mean(x, at, n);
        float scale = Norms.scale(x, at, n, mean, epsilon);
        float shift = (float) (products(d, i, gain, n) / n);
        put(x, at, n, mean, scale, shift, gain, d, i, add, dX, o);
    }

    /// The gradient of [Norms#rms], as [#layer].
    public static void rms(
            float[] x, int at, int n, float[] gain, float epsilon, float[] d, int i, boolean add, float[] dX, int o) {
        put(x, at, n, 0f, Norms.scale(x, at, n, 0f, epsilon), 0f, gain, d, i, add, dX, o);
    }

    private static void put(
            float[] x,
            int at,
            int n,
            float mean,
            float scale,
            float shift,
            float[] gain,
            float[] d,
            int i,
            boolean add,
            float[] dX,
            int o) {
        float slope = (float) (products(x, at, mean, gain, d, i, n) * scale * scale / n);
        int c = 0;
        for (; c < Simd.F.loopBound(n); c += Simd.LANES) {
            FloatVector g = FloatVector.fromArray(Simd.F, d, i + c).mul(FloatVector.fromArray(Simd.F, gain, c));
            FloatVector v = FloatVector.fromArray(Simd.F, x, at + c).sub(mean).mul(slope);
            FloatVector result = g.sub(shift).sub(v).mul(scale);
            if (add) {
                result = result.add(FloatVector.fromArray(Simd.F, dX, o + c));
            }
            result.intoArray(dX, o + c);
        }
        for (; c < n; c++) {
            float result = (d[i + c] * gain[c] - shift - (x[at + c] - mean) * slope) * scale;
            dX[o + c] = add ? result + dX[o + c] : result;
        }
    }

    /// Σ d · gain.
    private static double products(float[] d, int i, float[] gain, int n) {
        float[] lanes = LANES.get();
        double total = 0;
        int c = 0;
        while (c < Simd.F.loopBound(n)) {
            int end = Math.min(Simd.F.loopBound(n), c + CHUNK);
            FloatVector sum = FloatVector.zero(Simd.F);
            for (; c < end; c += Simd.LANES) {
                FloatVector v = FloatVector.fromArray(Simd.F, d, i + c);
                FloatVector g = FloatVector.fromArray(Simd.F, gain, c);
                sum = Simd.FMA ? v.fma(g, sum) : v.mul(g).add(sum);
            }
            sum.intoArray(lanes, 0);
            total += Norms.sumOf(lanes);
        }
        for (; c < n; c++) {
            total += (double) d[i + c] * gain[c];
        }
        return total;
    }

    /// Σ d · gain · (x − mean).
    private static double products(float[] x, int at, float mean, float[] gain, float[] d, int i, int n) {
        float[] lanes = LANES.get();
        double total = 0;
        int c = 0;
        while (c < Simd.F.loopBound(n)) {
            int end = Math.min(Simd.F.loopBound(n), c + CHUNK);
            FloatVector sum = FloatVector.zero(Simd.F);
            for (; c < end; c += Simd.LANES) {
                FloatVector v = FloatVector.fromArray(Simd.F, x, at + c).sub(mean);
                FloatVector g = FloatVector.fromArray(Simd.F, d, i + c).mul(FloatVector.fromArray(Simd.F, gain, c));
                sum = Simd.FMA ? v.fma(g, sum) : v.mul(g).add(sum);
            }
            sum.intoArray(lanes, 0);
            total += Norms.sumOf(lanes);
        }
        for (; c < n; c++) {
            total += (double) d[i + c] * gain[c] * (x[at + c] - mean);
        }
        return total;
    }
}
