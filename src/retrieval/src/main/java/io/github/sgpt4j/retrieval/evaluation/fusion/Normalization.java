package io.github.sgpt4j.retrieval.evaluation.fusion;

import io.github.sgpt4j.retrieval.ScoredId;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// How a ranking's scores are made comparable with those of others, for each query on its own.
public enum Normalization {
    /// (score - least) / (best - least), between 0 and 1 (Lee 1997, "Analyses of Multiple Evidence
    /// Combination"). If all scores are equal, each becomes 1.
    MINMAX {
        @Override
        ToDoubleFunction<ScoredId> of(List<ScoredId> ranking) {
            double best = ranking.getFirst().score();
            double least = ranking.getLast().score();
            return best > least ? hit -> (hit.score() - least) / (best - least) : hit -> 1;
        }
    },

    /// Scores as they are.
    NONE {
        @Override
        ToDoubleFunction<ScoredId> of(List<ScoredId> ranking) {
            return ScoredId::score;
        }
    },

    /// (score - mean) / standard deviation (Montague and Aslam 2001, "Relevance Score Normalization for
    /// Metasearch", zero mean and unit variance); the deviation is that of a population. If all scores
    /// are equal, each becomes 0.
    ZSCORE {
        @Override
        ToDoubleFunction<ScoredId> of(List<ScoredId> ranking) {
            double mean =
                    ranking.stream().mapToDouble(ScoredId::score).average().orElse(0);
            double variance = ranking.stream()
                    .mapToDouble(hit -> (hit.score() - mean) * (hit.score() - mean))
                    .average()
                    .orElse(0);
            double deviation = Math.sqrt(variance);
            return ranking.getFirst().score() > ranking.getLast().score()
                    ? hit -> (hit.score() - mean) / deviation
                    : hit -> 0;
        }
    };

    /// @param ranking best first, not empty
    abstract ToDoubleFunction<ScoredId> of(List<ScoredId> ranking);

    /// As in options: `minmax`, `none` or `zscore`.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
