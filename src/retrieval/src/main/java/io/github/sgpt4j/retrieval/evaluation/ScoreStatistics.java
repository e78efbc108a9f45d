package io.github.sgpt4j.retrieval.evaluation;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Measures of scores that do not rank documents.
public final class ScoreStatistics {
    private ScoreStatistics() {}

    /// Average precision as scikit-learn defines it (`average_precision_score`): over falling
    /// thresholds, the sum of precision times the increase of recall. Equal scores pass a threshold
    /// together. 0 if nothing is relevant.
    static double averagePrecision(List<Boolean> relevant, float[] scores) {
        List<Integer> order = IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> scores[i]).reversed())
                .toList();
        long all = relevant.stream().filter(r -> r).count();
        double sum = 0;
        long hits = 0;
        for (int start = 0; start < order.size(); ) {
            int end = start;
            long before = hits;
            while (end < order.size() && scores[order.get(end)] == scores[order.get(start)]) {
                hits += relevant.get(order.get(end)) ? 1 : 0;
                end++;
            }
            sum += (double) hits / end * (hits - before);
            start = end;
        }
        return all == 0 ? 0 : sum / all;
    }

    /// Spearman's rank correlation; equal values share the mean of their ranks.
    ///
    /// @throws IllegalArgumentException if either side has fewer than two distinct values, which leaves
    ///     it undefined
    public static double spearman(double[] x, double[] y) {
        return pearson(ranks(x), ranks(y));
    }

    private static double[] ranks(double[] values) {
        int[] order = IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> values[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] ranks = new double[values.length];
        for (int start = 0; start < order.length; ) {
            int end = start;
            while (end < order.length && values[order[end]] == values[order[start]]) {
                end++;
            }
            for (int i = start; i < end; i++) {
                ranks[order[i]] = (start + 1 + end) / 2.0;
            }
            start = end;
        }
        return ranks;
    }

    private static double pearson(double[] x, double[] y) {
        double meanX =
                IntStream.range(0, x.length).mapToDouble(i -> x[i]).average().orElse(0);
        double meanY =
                IntStream.range(0, y.length).mapToDouble(i -> y[i]).average().orElse(0);
        double xy = 0;
        double xx = 0;
        double yy = 0;
        for (int i = 0; i < x.length; i++) {
            xy += (x[i] - meanX) * (y[i] - meanY);
            xx += (x[i] - meanX) * (x[i] - meanX);
            yy += (y[i] - meanY) * (y[i] - meanY);
        }
        if (!(xx > 0 && yy > 0)) {
            throw new IllegalArgumentException("rank correlation: expected values that differ, got equal values");
        }
        return xy / Math.sqrt(xx * yy);
    }

    static double mean(List<Double> values) {
        return values.stream()
                .mapToDouble(Double::doubleValue)
                .average()
                .orElseThrow(() -> new IllegalArgumentException("expected values, got none"));
    }
}
