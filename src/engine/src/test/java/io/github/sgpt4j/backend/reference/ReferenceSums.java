package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.OperandChecks;
import io.github.sgpt4j.backend.Sums;
import java.util.Arrays;

/// Sums in `double`, one array per row.
final class ReferenceSums implements Sums {
    private final double[][] values;
    private boolean closed;

    ReferenceSums(int rows, int columns) {
        this.values = new double[rows][columns];
    }

    /// The sums themselves, not a copy.
    double[][] values() {
        if (closed) {
            throw new IllegalStateException("sums are closed");
        }
        return values;
    }

    @Override
    public int rows() {
        return values.length;
    }

    @Override
    public int columns() {
        return values[0].length;
    }

    @Override
    public void read(int row, double[] target) {
        OperandChecks.readSums(this, row, target);
        System.arraycopy(values()[row], 0, target, 0, target.length);
    }

    @Override
    public void clear() {
        for (double[] row : values()) {
            Arrays.fill(row, 0);
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
