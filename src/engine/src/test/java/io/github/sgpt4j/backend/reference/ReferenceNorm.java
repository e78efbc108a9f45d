package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import java.util.Arrays;

/// A normalisation with its gain and bias `[columns]` filled in.
record ReferenceNorm(NormParameters parameters, double[] gain, double[] bias) implements Norm {
    static ReferenceNorm of(NormParameters parameters) {
        double[] gain = parameters.gain().map(Values::of).orElseGet(() -> filled(parameters.columns(), 1));
        double[] bias = parameters.bias().map(Values::of).orElseGet(() -> filled(parameters.columns(), 0));
        return new ReferenceNorm(parameters, gain, bias);
    }

    private static double[] filled(int length, double value) {
        double[] values = new double[length];
        Arrays.fill(values, value);
        return values;
    }

    /// Normalises `[columns]` values into a new array.
    double[] apply(double[] x) {
        return switch (parameters.kind()) {
            case LAYER -> layer(x);
            case RMS -> rms(x);
            case IDENTITY -> x.clone();
        };
    }

    private double[] layer(double[] x) {
        int n = x.length;
        double mean = Arrays.stream(x).sum() / n;
        double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).sum() / n;
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = (x[i] - mean) / Math.sqrt(variance + parameters.epsilon()) * gain[i] + bias[i];
        }
        return y;
    }

    private double[] rms(double[] x) {
        int n = x.length;
        double meanSquare = Arrays.stream(x).map(v -> v * v).sum() / n;
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = x[i] / Math.sqrt(meanSquare + parameters.epsilon()) * gain[i];
        }
        return y;
    }
}
