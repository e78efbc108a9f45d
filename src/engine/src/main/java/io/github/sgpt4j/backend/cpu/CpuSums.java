package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.OperandChecks;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.cpu.kernel.Accumulation;
import io.github.sgpt4j.error.BackendException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Sums of gradients: of one row in doubles; of more rows in floats outside the heap, where the weights are, because
/// they are as many.
final class CpuSums implements Sums {
    private final int rows;
    private final int columns;
    private final double[] row;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment matrix;
    private volatile boolean closed;

    CpuSums(int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        this.row = rows == 1 ? new double[columns] : new double[0];
        this.matrix = rows == 1 ? MemorySegment.NULL : allocate(rows, columns);
    }

    private MemorySegment allocate(int rows, int columns) {
        long bytes = Math.multiplyExact((long) rows * columns, Float.BYTES);
        try {
            return arena.allocate(bytes, 64);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new BackendException(
                    "cpu: no room for %,d bytes of sums [%d, %d]".formatted(bytes, rows, columns), e);
        }
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    /// The sums of the only row.
    double[] row() {
        checkOpen();
        return row;
    }

    /// Adds `x[at, at + count)` to columns `[column, column + count)` of a row.
    void add(int row, int column, float[] x, int at, int count) {
        if (rows == 1) {
            Accumulation.add(x, at, count, this.row, column);
        } else {
            Accumulation.add(x, at, count, matrix, offset(row) + (long) column * Float.BYTES);
        }
    }

    private long offset(int row) {
        return (long) row * columns * Float.BYTES;
    }

    @Override
    public void read(int row, double[] target) {
        checkOpen();
        OperandChecks.readSums(this, row, target);
        if (rows == 1) {
            System.arraycopy(this.row, 0, target, 0, columns);
            return;
        }
        for (int c = 0; c < columns; c++) {
            target[c] = matrix.get(ValueLayout.JAVA_FLOAT, offset(row) + (long) c * Float.BYTES);
        }
    }

    @Override
    public void clear() {
        checkOpen();
        Arrays.fill(row, 0);
        matrix.fill((byte) 0);
    }

    void checkOpen() {
        if (closed) {
            throw new IllegalStateException("sums [%d, %d] are closed".formatted(rows, columns));
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            arena.close();
        }
    }

    @Override
    public String toString() {
        return "[%d, %d]".formatted(rows, columns);
    }
}
