package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;

/// Normalisation of one row, and the sums that it takes. They run in floats over at most [#CHUNK] values
/// and in doubles from there.
public final class Norms {
    private static final int CHUNK = 512;

    private static final ThreadLocal<float[]> LANES = ThreadLocal.withInitial(() -> new float[Simd.LANES]);

    private Norms() {}

    /// `out = (x − mean) / √(variance + epsilon) · gain + bias` over `n` values; `x` and `out` may be the
    /// same.
    public static void layer(float[] x, int at, int n, float[] gain, float[] bias, float epsilon, float[] out, int o) {
        float mean = (float) (sum(x, at, n) / n);
        double variance = squares(x, at, n, mean) / n;
        float scale = (float) (1 / Math.sqrt(variance + epsilon));
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
        float scale = (float) (1 / Math.sqrt(squares(x, at, n, 0f) / n + epsilon));
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

    /// The sum of a vector's lanes, from the first to the last: the order of `reduceLanes` is not defined
    /// and changes when the compiler takes over, and with it the last bit of every result.
    private static double sumOf(float[] lanes) {
        double sum = 0;
        for (int i = 0; i < Simd.LANES; i++) {
            sum += lanes[i];
        }
        return sum;
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

    /// The sum of `(x − mean)²` over `n` values.
    public static double squares(float[] x, int at, int n, float mean) {
        float[] lanes = LANES.get();
        double total = 0;
        int i = 0;
        while (i < Simd.F.loopBound(n)) {
            int end = Math.min(Simd.F.loopBound(n), i + CHUNK);
            FloatVector sum = FloatVector.zero(Simd.F);
            for (; i < end; i += Simd.LANES) {
                FloatVector d = FloatVector.fromArray(Simd.F, x, at + i).sub(mean);
                sum = Simd.FMA ? d.fma(d, sum) : d.mul(d).add(sum);
            }
            sum.intoArray(lanes, 0);
            total += sumOf(lanes);
        }
        for (; i < n; i++) {
            double d = x[at + i] - mean;
            total += d * d;
        }
        return total;
    }
}
