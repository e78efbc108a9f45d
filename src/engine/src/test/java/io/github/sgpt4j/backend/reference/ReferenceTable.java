package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;

/// An embedding table, one array per row.
record ReferenceTable(double[][] rowValues, int columns, WeightTensor stored) implements Table {
    static ReferenceTable of(WeightTensor weight) {
        if (weight.shape().rank() != 2) {
            throw new IllegalArgumentException(
                    "tensor %s: expected a matrix, got shape %s".formatted(weight.name(), weight.shape()));
        }
        int rows = Math.toIntExact(weight.shape().dimension(0));
        int columns = Math.toIntExact(weight.shape().dimension(1));
        double[] values = Values.of(weight);
        double[][] rowValues = new double[rows][];
        for (int r = 0; r < rows; r++) {
            rowValues[r] = Arrays.copyOfRange(values, r * columns, (r + 1) * columns);
        }
        return new ReferenceTable(rowValues, columns, weight);
    }

    @Override
    public int rows() {
        return rowValues.length;
    }

    /// Reads all rows again.
    void reload() {
        double[][] again = of(stored).rowValues;
        for (int r = 0; r < again.length; r++) {
            System.arraycopy(again[r], 0, rowValues[r], 0, columns);
        }
    }
}
