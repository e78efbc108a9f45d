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

    /// Adds the gradient of the hidden states in one mode.
    ///
    /// @param d gradient of the pooled vector `[hidden]`
    /// @param gradient one array per token, as `h`
    static void addGradient(double[][] h, int skip, PoolMode mode, double[] d, double[][] gradient) {
        int n = h.length - skip;
        double positions = n * (skip + 1.0 + h.length) / 2;
        for (int t = skip; t < h.length; t++) {
            for (int c = 0; c < d.length; c++) {
                gradient[t][c] += switch (mode) {
                    case FIRST -> t == skip ? d[c] : 0;
                    case LAST -> t == h.length - 1 ? d[c] : 0;
                    case MAX -> t == firstMaximum(h, skip, c) ? d[c] : 0;
                    case MEAN -> d[c] / n;
                    case MEAN_SQRT_LENGTH -> d[c] / Math.sqrt(n);
                    case WEIGHTED_MEAN -> d[c] * (t + 1) / positions;
                };
            }
        }
    }

    private static int firstMaximum(double[][] h, int skip, int c) {
        int best = skip;
        for (int t = skip + 1; t < h.length; t++) {
            best = h[t][c] > h[best][c] ? t : best;
        }
        return best;
    }
}
