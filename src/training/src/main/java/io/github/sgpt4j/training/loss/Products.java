package io.github.sgpt4j.training.loss;

import java.util.stream.IntStream;

/// Products of matrices in 64 bits. Blocks of results are computed in parallel; each number is a sum in
/// an order that depends on the shapes only, so that the bits do not depend on the number of threads.
final class Products {
    /// Rows of the result that one task computes.
    private static final int ROWS = 32;

    /// A tile of the right matrix, 256 KB, stays in the second cache while all rows of a task use it.
    private static final int DEPTH = 64;

    private static final int COLUMNS = 512;

    /// Rows of the right matrix of [#timesTransposed] that one task turns into columns.
    private static final int PANEL = 128;

    private Products() {}

    /// The matrix on the left of a product, as stored or transposed: the number in row i and column p
    /// is `values[i * row + p * column]`.
    private record Left(double[] values, int row, int column) {}

    /// `a · b`: [m, k] times [k, n].
    static Matrix times(Matrix a, Matrix b) {
        Matrix result = Matrix.zeros(a.rows(), b.columns());
        byRows(new Left(a.values(), a.columns(), 1), a.columns(), b, result);
        return result;
    }

    /// `aᵀ · b`: [k, m] transposed times [k, n].
    static Matrix transposedTimes(Matrix a, Matrix b) {
        Matrix result = Matrix.zeros(a.columns(), b.columns());
        byRows(new Left(a.values(), 1, a.columns()), a.rows(), b, result);
        return result;
    }

    private static void byRows(Left left, int depth, Matrix b, Matrix result) {
        int tasks = Math.ceilDiv(result.rows(), ROWS);
        IntStream.range(0, tasks).parallel().forEach(task -> {
            int from = task * ROWS;
            int to = Math.min(result.rows(), from + ROWS);
            Target target = new Target(result.values(), from, to, result.columns(), 0, result.columns());
            multiply(left, depth, b.values(), target);
        });
    }

    /// `a · bᵀ`: [m, k] times [n, k] transposed.
    static Matrix timesTransposed(Matrix a, Matrix b) {
        Matrix result = Matrix.zeros(a.rows(), b.rows());
        Left left = new Left(a.values(), a.columns(), 1);
        int tasks = Math.ceilDiv(b.rows(), PANEL);
        IntStream.range(0, tasks).parallel().forEach(task -> {
            int from = task * PANEL;
            int width = Math.min(b.rows() - from, PANEL);
            double[] panel = transpose(b, from, width);
            multiply(left, a.columns(), panel, new Target(result.values(), 0, a.rows(), b.rows(), from, width));
        });
        return result;
    }

    private static double[] transpose(Matrix b, int from, int width) {
        double[] panel = new double[Math.multiplyExact(b.columns(), width)];
        for (int j = 0; j < width; j++) {
            int start = b.start(from + j);
            for (int p = 0; p < b.columns(); p++) {
                panel[p * width + j] = b.values()[start + p];
            }
        }
        return panel;
    }

    /// A block of the result.
    ///
    /// @param values of the whole result
    /// @param from first row
    /// @param to row after the last
    /// @param stride columns of the whole result
    /// @param column first column
    /// @param width number of columns, which is that of the right matrix
    private record Target(double[] values, int from, int to, int stride, int column, int width) {}

    private static void multiply(Left left, int depth, double[] right, Target target) {
        for (int column = 0; column < target.width; column += COLUMNS) {
            int width = Math.min(COLUMNS, target.width - column);
            for (int p = 0; p < depth; p += DEPTH) {
                int end = Math.min(depth, p + DEPTH);
                for (int i = target.from; i < target.to; i++) {
                    int out = i * target.stride + target.column + column;
                    addRows(left, i, p, end, right, column, target.width, target.values, out, width);
                }
            }
        }
    }

    /// Adds rows `from` to `to` of the right matrix, each times a number of row `i` of the left.
    private static void addRows(
            Left left,
            int i,
            int from,
            int to,
            double[] right,
            int column,
            int stride,
            double[] sums,
            int out,
            int width) {
        int p = from;
        for (; p + AddedRows.COUNT <= to; p += AddedRows.COUNT) {
            int at = i * left.row + p * left.column;
            double a0 = left.values[at];
            double a1 = left.values[at + left.column];
            double a2 = left.values[at + 2 * left.column];
            double a3 = left.values[at + 3 * left.column];
            AddedRows.add(sums, out, right, p * stride + column, stride, width, a0, a1, a2, a3);
        }
        for (; p < to; p++) {
            double a = left.values[i * left.row + p * left.column];
            int row = p * stride + column;
            for (int j = 0; j < width; j++) {
                sums[out + j] += a * right[row + j];
            }
        }
    }
}
