package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.retrieval.ScoredId;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/// A query's ranking, with judgements in place of documents.
///
/// @param gains by rank: the judgement if it is positive, otherwise 0
/// @param ideal positive judgements of all judged documents, descending
record JudgedRanking(int[] gains, int[] ideal) {
    static JudgedRanking of(Map<String, Integer> judgements, List<ScoredId> ranking) {
        int[] gains = ranking.stream()
                .mapToInt(document -> Math.max(0, judgements.getOrDefault(document.id(), 0)))
                .toArray();
        return new JudgedRanking(gains, ideal(judgements.values()));
    }

    private static int[] ideal(Collection<Integer> judgements) {
        return judgements.stream()
                .filter(judgement -> judgement > 0)
                .sorted((a, b) -> Integer.compare(b, a))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    double value(Measure measure) {
        int cutoff = measure.cutoff() == 0 ? Integer.MAX_VALUE : measure.cutoff();
        return switch (measure.kind()) {
            case NDCG -> ideal.length == 0 ? 0 : discounted(gains, cutoff) / discounted(ideal, cutoff);
            case MAP -> averagePrecision(cutoff);
            case RECALL -> ideal.length == 0 ? 0 : (double) hits(cutoff) / ideal.length;
            case PRECISION -> (double) hits(cutoff) / cutoff;
            case RECIPROCAL_RANK -> reciprocalRank(cutoff);
        };
    }

    private static double discounted(int[] gains, int cutoff) {
        double sum = 0;
        for (int i = 0; i < Math.min(gains.length, cutoff); i++) {
            sum += gains[i] / (Math.log(i + 2.0) / Math.log(2.0));
        }
        return sum;
    }

    private double averagePrecision(int cutoff) {
        double sum = 0;
        int hits = 0;
        for (int i = 0; i < Math.min(gains.length, cutoff); i++) {
            if (gains[i] > 0) {
                hits++;
                sum += (double) hits / (i + 1);
            }
        }
        return ideal.length == 0 ? 0 : sum / ideal.length;
    }

    private int hits(int cutoff) {
        int hits = 0;
        for (int i = 0; i < Math.min(gains.length, cutoff); i++) {
            hits += gains[i] > 0 ? 1 : 0;
        }
        return hits;
    }

    private double reciprocalRank(int cutoff) {
        for (int i = 0; i < Math.min(gains.length, cutoff); i++) {
            if (gains[i] > 0) {
                return 1.0 / (i + 1);
            }
        }
        return 0;
    }
}
