package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Tensor;
import org.jspecify.annotations.Nullable;

/// Row-major floats in a heap array. Views share the array and the lifetime of the tensor they
/// belong to.
final class CpuTensor implements Tensor {
    private final Floats data;
    private final int offset;
    private final int rows;
    private final int columns;
    private final @Nullable CpuTensor root;
    private final ArrayPool pool;
    private boolean closed;

    CpuTensor(ArrayPool pool, int rows, int columns) {
        this(pool, pool.take(Math.multiplyExact(rows, columns)), 0, rows, columns, null);
    }

    private CpuTensor(ArrayPool pool, Floats data, int offset, int rows, int columns, @Nullable CpuTensor root) {
        this.pool = pool;
        this.data = data;
        this.offset = offset;
        this.rows = rows;
        this.columns = columns;
        this.root = root;
    }

    /// The array that holds the values, from [#offset] on, without gaps.
    ///
    /// @throws IllegalStateException if the tensor is closed
    float[] data() {
        return values().array();
    }

    /// As [#data].
    Floats values() {
        CpuTensor owner = root == null ? this : root;
        if (owner.closed) {
            throw new IllegalStateException("tensor [%d, %d] is closed".formatted(rows, columns));
        }
        return data;
    }

    int offset() {
        return offset;
    }

    /// Index in [#data] of the first value of a row.
    int offset(int row) {
        return offset + row * columns;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public Tensor slice(int from, int count) {
        if (from < 0 || count < 1 || count > rows - from) {
            throw new IllegalArgumentException(
                    "slice: expected rows within [0, %d), got [%d, %d)".formatted(rows, from, (long) from + count));
        }
        return new CpuTensor(pool, values(), offset(from), count, columns, root == null ? this : root);
    }

    @Override
    public void close() {
        if (root == null && !closed) {
            closed = true;
            pool.give(data);
        }
    }

    @Override
    public String toString() {
        return "[%d, %d]".formatted(rows, columns);
    }
}
