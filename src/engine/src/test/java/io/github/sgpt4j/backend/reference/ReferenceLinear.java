package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import java.util.ArrayList;
import java.util.List;

/// A weight matrix `[out, in]`, one array per output feature, and its bias `[out]`, zeros if there is none.
record ReferenceLinear(
        int in, double[][] weight, double[] bias, List<MatrixRows> weightParts, List<MatrixRows> biasParts)
        implements Linear {
    static ReferenceLinear of(List<MatrixRows> weight, List<MatrixRows> bias) {
        if (weight.isEmpty()) {
            throw new IllegalArgumentException("linear without weights");
        }
        int in = weight.getFirst().in();
        double[][] rows = stack(weight, in);
        double[] biases = new double[rows.length];
        if (!bias.isEmpty()) {
            double[][] stacked = stack(bias, 1);
            if (stacked.length != rows.length) {
                throw new IllegalArgumentException(
                        "%d biases for %d output features".formatted(stacked.length, rows.length));
            }
            for (int o = 0; o < biases.length; o++) {
                biases[o] = stacked[o][0];
            }
        }
        return new ReferenceLinear(in, rows, biases, weight, bias);
    }

    private static double[][] stack(List<MatrixRows> parts, int in) {
        List<double[]> rows = new ArrayList<>();
        for (MatrixRows part : parts) {
            if (part.in() != in) {
                throw new IllegalArgumentException("tensor %s: expected %d input features, got %d"
                        .formatted(part.tensor().name(), in, part.in()));
            }
            double[] stored = Values.of(part.tensor());
            int storedOut = stored.length / in;
            for (int j = 0; j < part.count(); j++) {
                int source = part.first() + j / part.run() * part.stride() + j % part.run();
                double[] row = new double[in];
                for (int i = 0; i < in; i++) {
                    row[i] = part.transposed() ? stored[i * storedOut + source] : stored[source * in + i];
                }
                rows.add(row);
            }
        }
        return rows.toArray(double[][]::new);
    }

    /// Reads weight and bias again.
    void reload() {
        ReferenceLinear again = of(weightParts, biasParts);
        for (int o = 0; o < weight.length; o++) {
            System.arraycopy(again.weight[o], 0, weight[o], 0, in);
        }
        System.arraycopy(again.bias, 0, bias, 0, bias.length);
    }

    /// Reads the bias again.
    void reloadBias() {
        System.arraycopy(of(weightParts, biasParts).bias, 0, bias, 0, bias.length);
    }

    @Override
    public int out() {
        return weight.length;
    }

    /// x · Wᵀ + b for one row `[in]`.
    double[] apply(double[] x) {
        double[] y = new double[weight.length];
        for (int o = 0; o < y.length; o++) {
            double sum = bias[o];
            for (int i = 0; i < in; i++) {
                sum += x[i] * weight[o][i];
            }
            y[o] = sum;
        }
        return y;
    }

    /// d · W for the gradient of one row's outputs `[out]`.
    double[] gradient(double[] d) {
        double[] dX = new double[in];
        for (int o = 0; o < d.length; o++) {
            for (int i = 0; i < in; i++) {
                dX[i] += d[o] * weight[o][i];
            }
        }
        return dX;
    }
}
