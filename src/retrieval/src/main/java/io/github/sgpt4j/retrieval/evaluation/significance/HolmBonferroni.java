package io.github.sgpt4j.retrieval.evaluation.significance;

import java.util.Comparator;
import java.util.stream.IntStream;

/// Holm's correction for several tests (1979, "A Simple Sequentially Rejective Multiple Test
/// Procedure"): where each adjusted p-value below a level counts as a finding, the probability of any
/// false finding is at most that level.
public final class HolmBonferroni {
    private HolmBonferroni() {}

    /// Adjusted p-values, in the order of the given ones: the k-th smallest of m, from 1, times
    /// m - k + 1, at least the adjusted one before it, and at most 1.
    ///
    /// @throws IllegalArgumentException if one is not between 0 and 1
    public static double[] adjust(double[] pValues) {
        for (double p : pValues) {
            if (!(p >= 0 && p <= 1)) {
                throw new IllegalArgumentException("p-value: expected 0 to 1, got " + p);
            }
        }
        int[] order = IntStream.range(0, pValues.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> pValues[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] adjusted = new double[pValues.length];
        double least = 0;
        for (int k = 0; k < order.length; k++) {
            least = Math.max(least, Math.min(1, pValues[order[k]] * (order.length - k)));
            adjusted[order[k]] = least;
        }
        return adjusted;
    }
}
