package io.github.sgpt4j.training.loss;

import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/// Numbers in 64 bits, row-major: embeddings or their gradients, one per row.
public final class Matrix {
    private final int rows;
    private final int columns;
    private final double[] values;

    private Matrix(int rows, int columns, double[] values) {
        this.rows = rows;
        this.columns = columns;
        this.values = values;
    }

    /// A matrix of zeros.
    static Matrix zeros(int rows, int columns) {
        return new Matrix(rows, columns, new double[Math.multiplyExact(rows, columns)]);
    }

    /// A matrix over an array, which is not copied.
    ///
    /// @param values row-major
    public static Matrix over(int rows, int columns, double[] values) {
        if (values.length != Math.multiplyExact(rows, columns)) {
            throw new IllegalArgumentException(
                    "expected %d rows of %d numbers, got %d numbers".formatted(rows, columns, values.length));
        }
        return new Matrix(rows, columns, values);
    }

    /// Copies rows of one length.
    public static Matrix of(float[][] rows) {
        return of(List.<float[][]>of(rows));
    }

    /// Copies rows of one length.
    public static Matrix of(double[][] rows) {
        Matrix matrix = zeros(rows.length, rows.length == 0 ? 0 : rows[0].length);
        for (int i = 0; i < rows.length; i++) {
            matrix.checkLength(i, rows[i].length);
            System.arraycopy(rows[i], 0, matrix.values, matrix.start(i), matrix.columns);
        }
        return matrix;
    }

    /// Copies the rows of several parts, one part below the other.
    static Matrix of(List<float[][]> parts) {
        int rows = parts.stream().mapToInt(part -> part.length).sum();
        int columns = parts.stream()
                .filter(part -> part.length > 0)
                .findFirst()
                .map(part -> part[0].length)
                .orElse(0);
        Matrix matrix = zeros(rows, columns);
        int row = 0;
        for (float[][] part : parts) {
            for (float[] from : part) {
                matrix.checkLength(row, from.length);
                int start = matrix.start(row++);
                for (int j = 0; j < columns; j++) {
                    matrix.values[start + j] = from[j];
                }
            }
        }
        return matrix;
    }

    private void checkLength(int row, int length) {
        if (length != columns) {
            throw new IllegalArgumentException(
                    "row %d: expected %d numbers as in row 0, got %d".formatted(row, columns, length));
        }
    }

    /// Number of rows.
    public int rows() {
        return rows;
    }

    /// Number of columns.
    public int columns() {
        return columns;
    }

    /// One number.
    public double at(int row, int column) {
        return values[start(row) + Objects.checkIndex(column, columns)];
    }

    /// Copies a row, rounded to 32 bits.
    public void copyRow(int row, float[] target, int offset) {
        int start = start(row);
        for (int j = 0; j < columns; j++) {
            target[offset + j] = (float) values[start + j];
        }
    }

    /// Copies all numbers, row-major.
    ///
    /// @param target of the same length
    public void copy(double[] target) {
        if (target.length != values.length) {
            throw new IllegalArgumentException(
                    "expected room for %d numbers, got %d".formatted(values.length, target.length));
        }
        System.arraycopy(values, 0, target, 0, values.length);
    }

    /// The sum of this matrix and another, which is multiplied by a factor.
    public Matrix plus(double factor, Matrix other) {
        if (other.rows != rows || other.columns != columns) {
            throw new IllegalArgumentException(
                    "expected [%d, %d], got [%d, %d]".formatted(rows, columns, other.rows, other.columns));
        }
        Matrix sum = slice(0, rows);
        for (int i = 0; i < values.length; i++) {
            sum.values[i] += factor * other.values[i];
        }
        return sum;
    }

    /// A copy of all rows, rounded to 32 bits.
    public float[][] toFloats() {
        float[][] copy = new float[rows][columns];
        IntStream.range(0, rows).forEach(row -> copyRow(row, copy[row], 0));
        return copy;
    }

    /// A copy of some rows.
    Matrix slice(int from, int count) {
        Matrix slice = zeros(count, columns);
        System.arraycopy(values, from * columns, slice.values, 0, slice.values.length);
        return slice;
    }

    /// The numbers themselves.
    double[] values() {
        return values;
    }

    /// Index of a row's first number among [#values].
    int start(int row) {
        return Objects.checkIndex(row, rows) * columns;
    }
}
