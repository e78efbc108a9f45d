package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;

/// Normalisation of one row, and the sums for it. Each [#CHUNK] values are summed in floats, and
/// the chunks in doubles.
public final class Norms {
    private static final int CHUNK = 512;

    private static final ThreadLocal<float[]> LANES = ThreadLocal.withInitial(() -> new float[Simd.LANES]);

    private Norms() {}

    /// `out = (x − mean) / √(variance + epsilon) · gain + bias` over `n` values; `x` and `out` may be the
    /// same.
    public static void layer(float[] x, int at, int n, float[] gain, float[] bias, float epsilon, float[] out, int o) {
        float mean = mean(x, at, n);
        float scale = scale(x, at, n, mean, epsilon);
        int i = 0;
        for (; i < Simd.F.loopBound(n); i += Simd.LANES) {
            FloatVector v = FloatVector.fromArray(Simd.F, x, at + i).sub(mean).mul(scale);
            FloatVector g = FloatVector.fromArray(Simd.F, gain, i);
            FloatVector b = FloatVector.fromArray(Simd.F, bias, i);
            v = Simd.FMA ? v.fma(g, b) : v.mul(g).add(b);
            v.intoArray(out, o + i);
        }
        for (; i < n; i++) {
            out[o + i] = (x[at + i] - mean) * scale * gain[i] + bias[i];
        }
    }

    /// `out = x / √(mean(x²) + epsilon) · gain + bias` over `n` values; `x` and `out` may be the same.
    public static void rms(float[] x, int at, int n, float[] gain, float[] bias, float epsilon, float[] out, int o) {
        float scale = scale(x, at, n, 0f, epsilon);
        int i = 0;
        for (; i < Simd.F.loopBound(n); i += Simd.LANES) {
            FloatVector v = FloatVector.fromArray(Simd.F, x, at + i).mul(scale);
            FloatVector g = FloatVector.fromArray(Simd.F, gain, i);
            FloatVector b = FloatVector.fromArray(Simd.F, bias, i);
            v = Simd.FMA ? v.fma(g, b) : v.mul(g).add(b);
            v.intoArray(out, o + i);
        }
        for (; i < n; i++) {
            out[o + i] = x[at + i] * scale * gain[i] + bias[i];
        }
    }

    /// The mean of `n` values.
    public static float mean(float[] x, int at, int n) {
        return (float) (sum(x, at, n) / n);
    }

    /// What a row is multiplied by: 1 / √(mean((x − mean)²) + epsilon).
    public static float scale(float[] x, int at, int n, float mean, float epsilon) {
        return (float) (1 / Math.sqrt(squares(x, at, n, mean) / n + epsilon));
    }

    /// The sum of a vector's lanes in a fixed order. The order of `reduceLanes` is undefined: it
    /// changes once the loop is compiled, and with it the last bit of every result.
    static double sumOf(float[] lanes) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        for (int i = 0; i < Simd.LANES; i += 4) {
            a += lanes[i];
            b += lanes[i + 1];
            c += lanes[i + 2];
            d += lanes[i + 3];
        }
        return a + b + (c + d);
    }

    private static double sum(float[] x, int at, int n) {
        float[] lanes = LANES.get();
        double total = 0;
        int i = 0;
        while (i < Simd.F.loopBound(n)) {
            int end = Math.min(Simd.F.loopBound(n), i + CHUNK);
            FloatVector sum = FloatVector.zero(Simd.F);
            for (; i < end; i += Simd.LANES) {
                sum = sum.add(FloatVector.fromArray(Simd.F, x, at + i));
            }
            sum.intoArray(lanes, 0);
            total += sumOf(lanes);
        }
        for (; i < n; i++) {
            total += x[at + i];
        }
        return total;
    }

    /// The sum of `(x − mean)²` over `n` values. Four sums run side by side: in the latency of one
    /// addition, four can start.
    public static double squares(float[] x, int at, int n, float mean) {
        float[] lanes = LANES.get();
        double total = 0;
        int i = 0;
        while (i < Simd.F.loopBound(n)) {
            int end = Math.min(Simd.F.loopBound(n), i + 4 * CHUNK);
            FloatVector a = FloatVector.zero(Simd.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            for (; i <= end - 4 * Simd.LANES; i += 4 * Simd.LANES) {
                FloatVector v = FloatVector.fromArray(Simd.F, x, at + i).sub(mean);
                FloatVector w =
                        FloatVector.fromArray(Simd.F, x, at + i + Simd.LANES).sub(mean);
                FloatVector y = FloatVector.fromArray(Simd.F, x, at + i + 2 * Simd.LANES)
                        .sub(mean);
                FloatVector z = FloatVector.fromArray(Simd.F, x, at + i + 3 * Simd.LANES)
                        .sub(mean);
                a = Simd.FMA ? v.fma(v, a) : v.mul(v).add(a);
                b = Simd.FMA ? w.fma(w, b) : w.mul(w).add(b);
                c = Simd.FMA ? y.fma(y, c) : y.mul(y).add(c);
                d = Simd.FMA ? z.fma(z, d) : z.mul(z).add(d);
            }
            for (; i < end; i += Simd.LANES) {
                FloatVector v = FloatVector.fromArray(Simd.F, x, at + i).sub(mean);
                a = Simd.FMA ? v.fma(v, a) : v.mul(v).add(a);
            }
            a.add(b).add(c.add(d)).intoArray(lanes, 0);
            total += sumOf(lanes);
        }
        for (; i < n; i++) {
            double d = x[at + i] - mean;
            total += d * d;
        }
        return total;
    }
}
