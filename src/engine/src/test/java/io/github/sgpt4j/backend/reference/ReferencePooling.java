package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.PoolMode;
import java.util.Arrays;

/// Reduces the hidden states of one text.
final class ReferencePooling {
    private ReferencePooling() {}

    /// @param h normalised hidden states of a whole segment, one array per token
    /// @param skip leading tokens to leave out
    static double[] pool(double[][] h, int skip, int hidden, PoolMode mode) {
        int n = h.length - skip;
        double[] pooled = new double[hidden];
        for (int c = 0; c < hidden && n > 0; c++) {
            double[] component = new double[n];
            for (int t = 0; t < n; t++) {
                component[t] = h[skip + t][c];
            }
            pooled[c] = reduce(component, skip, mode);
        }
        return pooled;
    }

    private static double reduce(double[] values, int skip, PoolMode mode) {
        int n = values.length;
        return switch (mode) {
            case FIRST -> values[0];
            case LAST -> values[n - 1];
            case MAX -> Arrays.stream(values).max().orElseThrow();
            case MEAN -> Arrays.stream(values).sum() / n;
            case MEAN_SQRT_LENGTH -> Arrays.stream(values).sum() / Math.sqrt(n);
            case WEIGHTED_MEAN -> weightedMean(values, skip);
        };
    }

    private static double weightedMean(double[] values, int skip) {
        double sum = 0;
        double weights = 0;
        for (int t = 0; t < values.length; t++) {
            double weight = skip + t + 1;
            sum += weight * values[t];
            weights += weight;
        }
        return sum / weights;
    }
}
