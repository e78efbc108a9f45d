package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;

/// The gradient of attention's softmax (Dao et al. 2022, arXiv 2205.14135, appendix B.2): with weights `P`, the
/// gradient of a score is `P ∘ (dP − D)`, where `D` is the sum over keys of `P ∘ dP`, which equals `dOut · out`.
///
/// Scores are transposed, `[keys][TILE_COLUMNS]`, a lane is a query. The results are the left operands of products over
/// queries, so they are also written as rows of [Tiles#CHUNK] queries, of which these are the columns from `column` on.
public final class SoftmaxGradient {
    private SoftmaxGradient() {}

    /// `p = e · factor` goes to the rows of `weights`, and `p · (d − delta)` to those of `gradients` and to `d`.
    ///
    /// @param e exponentials of the scores, the first at index `at`
    /// @param d gradients of the weights `[keys][TILE_COLUMNS]`
    /// @param factors the inverse sum of each query's exponentials, `[CHUNK]`
    /// @param deltas `D` of each query, `[CHUNK]`
    /// @param weights `[keys][CHUNK]`
    /// @param gradients `[keys][CHUNK]`
    public static void apply(
            float[] e,
            int at,
            float[] d,
            int keys,
            float[] factors,
            float[] deltas,
            int column,
            float[] weights,
            float[] gradients) {
        for (int half = 0; half < Simd.TILE_COLUMNS; half += Simd.LANES) {
            FloatVector factor = FloatVector.fromArray(Simd.F, factors, column + half);
            FloatVector delta = FloatVector.fromArray(Simd.F, deltas, column + half);
            for (int j = 0; j < keys; j++) {
                int i = j * Simd.TILE_COLUMNS + half;
                int row = j * Tiles.CHUNK + column + half;
                FloatVector p = FloatVector.fromArray(Simd.F, e, at + i).mul(factor);
                FloatVector g = FloatVector.fromArray(Simd.F, d, i).sub(delta).mul(p);
                p.intoArray(weights, row);
                g.intoArray(gradients, row);
                g.intoArray(d, i);
            }
        }
    }

    /// `Σ x[at + i] · y[from + i]` over `n` values, in an order that depends on `n` only.
    ///
    /// @param lanes room for [Simd#LANES] values
    public static float dot(float[] x, int at, float[] y, int from, int n, float[] lanes) {
        FloatVector sum = FloatVector.zero(Simd.F);
        int i = 0;
        for (; i < Simd.F.loopBound(n); i += Simd.LANES) {
            FloatVector a = FloatVector.fromArray(Simd.F, x, at + i);
            FloatVector b = FloatVector.fromArray(Simd.F, y, from + i);
            sum = Simd.FMA ? a.fma(b, sum) : a.mul(b).add(sum);
        }
        sum.intoArray(lanes, 0);
        double total = 0;
        for (int lane = 0; lane < Simd.LANES; lane++) {
            total += lanes[lane];
        }
        for (; i < n; i++) {
            total += (double) x[at + i] * y[from + i];
        }
        return (float) total;
    }
}
