package io.github.sgpt4j.retrieval;

import java.util.Arrays;
import java.util.Optional;

/// How similar the passages of a document are to a query.
///
/// @param each of the passages in their order; NaN for one without a vector
record PassageScores(float[] each) {
    /// The mean of the highest, rounded once; empty if no passage has a vector.
    ///
    /// @param best how many count, or all if there are fewer
    Optional<Float> pooled(int best) {
        float[] sorted = each.clone();
        int count = 0;
        for (float score : each) {
            if (!Float.isNaN(score)) {
                sorted[count] = score;
                count++;
            }
        }
        Arrays.sort(sorted, 0, count);
        int counted = Math.min(best, count);
        if (counted <= 1) {
            return count == 0 ? Optional.empty() : Optional.of(sorted[count - 1]);
        }
        double sum = 0;
        for (int i = count - counted; i < count; i++) {
            sum += sorted[i];
        }
        return Optional.of((float) (sum / counted));
    }
}
