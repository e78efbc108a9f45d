package io.github.sgpt4j.training.data;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Which of the passages that retrieval systems found become negatives, as in sentence-transformers'
/// script for MS MARCO (`train_bi-encoder_mnrl.py`): of each system in turn, the first few that score
/// at least the margin below the lowest positive and were not chosen before.
///
/// @param systems the systems asked, in their order
/// @param perSystem how many each adds at most
/// @param margin of scores
record NegativeChoice(List<String> systems, int perSystem, double margin) {
    /// Ids of the chosen passages, in the order of finding.
    Set<Integer> of(HardNegatives row, PassageScores scores) {
        double lowest = Double.POSITIVE_INFINITY;
        for (int positive : row.positives()) {
            lowest = Math.min(lowest, scores.of(positive));
        }
        double threshold = lowest - margin;
        Set<Integer> chosen = new LinkedHashSet<>();
        for (String system : systems) {
            int added = 0;
            for (int passage : row.negatives().getOrDefault(system, List.of())) {
                if (scores.of(passage) > threshold || !chosen.add(passage)) {
                    continue;
                }
                added++;
                if (added == perSystem) {
                    break;
                }
            }
        }
        return chosen;
    }
}
