package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import java.util.Arrays;

/// A normalisation with its gain and bias `[columns]` filled in.
record ReferenceNorm(NormParameters parameters, double[] gain, double[] bias) implements Norm {
    static ReferenceNorm of(NormParameters parameters) {
        double first = parameters.gainFromOne() ? 1 : 0;
        double[] gain = parameters
                .gain()
                .map(stored ->
                        Arrays.stream(Values.of(stored)).map(v -> first + v).toArray())
                .orElseGet(() -> filled(parameters.columns(), 1));
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

    /// The gradient of `[columns]` inputs, given that of the outputs.
    double[] gradient(double[] x, double[] dOut) {
        if (parameters.kind() == NormParameters.Kind.IDENTITY) {
            return dOut.clone();
        }
        int n = x.length;
        double[] normalised = normalised(x);
        double[] d = new double[n];
        Arrays.setAll(d, i -> dOut[i] * gain[i]);
        double mean = parameters.kind() == NormParameters.Kind.LAYER
                ? Arrays.stream(d).sum() / n
                : 0;
        double product = 0;
        for (int i = 0; i < n; i++) {
            product += d[i] * normalised[i] / n;
        }
        double deviation = deviation(x);
        double[] dX = new double[n];
        for (int i = 0; i < n; i++) {
            dX[i] = (d[i] - mean - normalised[i] * product) / deviation;
        }
        return dX;
    }

    /// The gradient of the gain from one row.
    double[] gainGradient(double[] x, double[] dOut) {
        double[] normalised = normalised(x);
        double[] d = new double[x.length];
        Arrays.setAll(d, i -> dOut[i] * normalised[i]);
        return d;
    }

    /// The values before gain and bias.
    private double[] normalised(double[] x) {
        double mean = mean(x);
        double deviation = deviation(x);
        return Arrays.stream(x).map(v -> (v - mean) / deviation).toArray();
    }

    private double mean(double[] x) {
        return parameters.kind() == NormParameters.Kind.LAYER ? Arrays.stream(x).sum() / x.length : 0;
    }

    /// √(variance + ε), or √(mean(x²) + ε).
    private double deviation(double[] x) {
        double mean = mean(x);
        double squares = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).sum();
        return Math.sqrt(squares / x.length + parameters.epsilon());
    }

    /// Reads gain and bias again.
    void reload() {
        ReferenceNorm again = of(parameters);
        System.arraycopy(again.gain, 0, gain, 0, gain.length);
        System.arraycopy(again.bias, 0, bias, 0, bias.length);
    }
}
