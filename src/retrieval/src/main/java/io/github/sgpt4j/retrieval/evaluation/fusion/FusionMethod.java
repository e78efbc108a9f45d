package io.github.sgpt4j.retrieval.evaluation.fusion;

import io.github.sgpt4j.retrieval.Fusion;
import java.util.List;

/// How rankings become one.
public sealed interface FusionMethod {
    /// Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): the sum of 1 / (k + rank) over the
    /// runs that found the document. Scores do not count.
    ///
    /// @param k above 0; 60 in that paper
    record ReciprocalRank(int k) implements FusionMethod {
        /// With the constant of the paper.
        public static final ReciprocalRank DEFAULT = new ReciprocalRank(Fusion.RANK_CONSTANT);

        /// @throws IllegalArgumentException if `k` is not above 0
        public ReciprocalRank {
            if (k < 1) {
                throw new IllegalArgumentException("k: expected at least 1, got " + k);
            }
        }
    }

    /// CombSUM (Fox and Shaw 1994, "Combination of Multiple Searches"): the sum of the scores.
    ///
    /// @param normalization of each run's scores
    record CombSum(Normalization normalization) implements FusionMethod {}

    /// CombMNZ (Fox and Shaw 1994): the sum of the scores, times the number of runs that found the
    /// document.
    ///
    /// @param normalization of each run's scores
    record CombMnz(Normalization normalization) implements FusionMethod {}

    /// The sum of the scores, each times the weight of its run.
    ///
    /// @param weights one for each run, in their order
    /// @param normalization of each run's scores
    record Weighted(List<Double> weights, Normalization normalization) implements FusionMethod {
        /// @throws IllegalArgumentException if a weight is negative or not finite, or all are 0
        public Weighted {
            weights = List.copyOf(weights);
            for (double weight : weights) {
                if (!(weight >= 0 && weight <= Float.MAX_VALUE)) {
                    throw new IllegalArgumentException("weights: expected finite numbers of at least 0, got " + weight);
                }
            }
            if (weights.stream().allMatch(weight -> weight == 0)) {
                throw new IllegalArgumentException("weights: expected one above 0, got " + weights);
            }
        }
    }
}
