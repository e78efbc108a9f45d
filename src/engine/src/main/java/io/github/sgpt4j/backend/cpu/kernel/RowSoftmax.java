package io.github.sgpt4j.backend.cpu.kernel;

/// Softmax of neighbouring values, in place.
public final class RowSoftmax {
    private RowSoftmax() {}

    /// Replaces `x[at, at + count)` by its softmax. One NaN makes all of them NaN.
    public static void apply(float[] x, int at, int count) {
        float largest = x[at];
        for (int i = at + 1; i < at + count; i++) {
            largest = Math.max(largest, x[i]);
        }
        for (int i = at; i < at + count; i++) {
            x[i] -= largest;
        }
        int whole = Simd.F.loopBound(count);
        Elementary.exp(x, at, whole);
        for (int i = at + whole; i < at + count; i++) {
            x[i] = Elementary.exp(x[i]);
        }
        double sum = 0;
        for (int i = at; i < at + count; i++) {
            sum += x[i];
        }
        float factor = (float) (1 / sum);
        for (int i = at; i < at + count; i++) {
            x[i] *= factor;
        }
    }
}
