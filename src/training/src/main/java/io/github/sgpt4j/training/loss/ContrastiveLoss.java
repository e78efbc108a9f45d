package io.github.sgpt4j.training.loss;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Cross entropy over the texts of a batch, as sentence-transformers' `MultipleNegativesRankingLoss`
/// computes it (Henderson et al., arXiv:1705.00652): the positive of row i is the right one among all
/// positives, all first negatives, all second negatives and so on, by scaled cosine. The loss is the
/// mean over rows.
///
/// With k texts per row, a call takes about `8·rows·(2·k·columns + (k-1)·rows)` bytes: 220 MB for 1,024
/// rows of three texts with 4,096 columns. It uses the common pool; its bits do not depend on the
/// number of threads.
///
/// @param scale what cosines are multiplied by
public record ContrastiveLoss(double scale) {
    /// What a batch amounts to.
    ///
    /// @param loss not finite if an embedding is not
    /// @param rows number of rows
    /// @param first number of rows whose positive has the highest score; not if another has the same
    /// @param anchors gradient with respect to the anchors
    /// @param candidates gradients with respect to positives, first negatives and so on
    public record Result(double loss, int rows, int first, Matrix anchors, List<Matrix> candidates) {}

    /// Checks the scale.
    public ContrastiveLoss {
        if (!(scale > 0) || Double.isInfinite(scale)) {
            throw new IllegalArgumentException("expected a scale above 0, got " + scale);
        }
    }

    /// Loss and gradients of a batch.
    ///
    /// @param anchors embeddings [rows, columns]
    /// @param candidates embeddings of the positives, then of the first negatives and so on, each with
    ///     as many rows as `anchors`
    public Result of(float[][] anchors, List<float[][]> candidates) {
        for (float[][] part : candidates) {
            checkRows(anchors.length, part.length);
        }
        return of(Matrix.of(anchors), Matrix.of(candidates));
    }

    private static void checkRows(int expected, int got) {
        if (expected != got) {
            throw new IllegalArgumentException(
                    "expected as many texts of every kind as anchors, %d, got %d".formatted(expected, got));
        }
    }

    /// @param anchors used up
    /// @param candidates of all kinds, one below the other; used up
    Result of(Matrix anchors, Matrix candidates) {
        int rows = anchors.rows();
        if (rows == 0
                || candidates.rows() == 0
                || candidates.rows() % rows != 0
                || anchors.columns() != candidates.columns()) {
            throw new IllegalArgumentException(
                    "expected at least one anchor and a positive for each, of equal lengths, got %d of %d and %d of %d"
                            .formatted(rows, anchors.columns(), candidates.rows(), candidates.columns()));
        }
        UnitRows left = UnitRows.of(anchors);
        UnitRows right = UnitRows.of(candidates);
        Matrix scores = Products.timesTransposed(left.rows(), right.rows());
        double[] losses = new double[rows];
        boolean[] first = new boolean[rows];
        IntStream.range(0, rows).parallel().forEach(row -> {
            first[row] = positiveIsFirst(scores, row);
            losses[row] = crossEntropy(scores, row);
        });
        Matrix byAnchor = Products.times(scores, right.rows());
        left.backward(byAnchor);
        Matrix byCandidate = Products.transposedTimes(scores, left.rows());
        right.backward(byCandidate);
        List<Matrix> parts = new ArrayList<>();
        for (int from = 0; from < candidates.rows(); from += rows) {
            parts.add(byCandidate.slice(from, rows));
        }
        double sum = 0;
        int firsts = 0;
        for (int row = 0; row < rows; row++) {
            sum += losses[row];
            firsts += first[row] ? 1 : 0;
        }
        return new Result(sum / rows, rows, firsts, byAnchor, List.copyOf(parts));
    }

    private static boolean positiveIsFirst(Matrix scores, int row) {
        double positive = scores.at(row, row);
        for (int k = 0; k < scores.columns(); k++) {
            if (k != row && !(scores.at(row, k) < positive)) {
                return false;
            }
        }
        return true;
    }

    /// The loss of a row, whose cosines become the gradient of the mean with respect to them.
    private double crossEntropy(Matrix scores, int row) {
        double[] values = scores.values();
        int start = scores.start(row);
        int end = start + scores.columns();
        double most = Double.NEGATIVE_INFINITY;
        for (int k = start; k < end; k++) {
            values[k] *= scale;
            most = Math.max(most, values[k]);
        }
        double positive = values[start + row];
        double sum = 0;
        for (int k = start; k < end; k++) {
            values[k] = Math.exp(values[k] - most);
            sum += values[k];
        }
        double factor = scale / scores.rows();
        for (int k = start; k < end; k++) {
            values[k] = values[k] / sum * factor;
        }
        values[start + row] -= factor;
        return Math.log(sum) + most - positive;
    }
}
