package io.github.sgpt4j.training.loss;

import java.util.stream.IntStream;

/// Rows divided by their lengths, as PyTorch's `normalize` does: a length below 1e-12 counts as 1e-12.
///
/// @param rows the divided rows
/// @param lengths of the rows before
record UnitRows(Matrix rows, double[] lengths) {
    private static final double MIN_LENGTH = 1e-12;

    /// @param rows divided in place
    static UnitRows of(Matrix rows) {
        double[] lengths = new double[rows.rows()];
        double[] values = rows.values();
        IntStream.range(0, lengths.length).parallel().forEach(i -> {
            int start = rows.start(i);
            double squares = 0;
            for (int j = start; j < start + rows.columns(); j++) {
                squares += values[j] * values[j];
            }
            lengths[i] = Math.sqrt(squares);
            double divisor = Math.max(lengths[i], MIN_LENGTH);
            for (int j = start; j < start + rows.columns(); j++) {
                values[j] /= divisor;
            }
        });
        return new UnitRows(rows, lengths);
    }

    /// Turns gradients with respect to the divided rows into those with respect to the rows before.
    ///
    /// @param gradients changed in place
    void backward(Matrix gradients) {
        double[] values = rows.values();
        double[] changed = gradients.values();
        IntStream.range(0, lengths.length).parallel().forEach(i -> {
            int start = rows.start(i);
            int end = start + rows.columns();
            double along = 0;
            if (lengths[i] >= MIN_LENGTH) {
                for (int j = start; j < end; j++) {
                    along += values[j] * changed[j];
                }
            }
            double divisor = Math.max(lengths[i], MIN_LENGTH);
            for (int j = start; j < end; j++) {
                changed[j] = (changed[j] - along * values[j]) / divisor;
            }
        });
    }
}
