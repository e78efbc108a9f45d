package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Tensor;

/// Rows of `double`, or a view of some rows of another tensor.
final class ReferenceTensor implements Tensor {
    private final Memory memory;
    private final int from;
    private final int rows;
    private final int columns;
    private final boolean view;

    private ReferenceTensor(Memory memory, int from, int rows, int columns, boolean view) {
        this.memory = memory;
        this.from = from;
        this.rows = rows;
        this.columns = columns;
        this.view = view;
    }

    /// A tensor that takes over `data`, one array per row.
    static ReferenceTensor of(ReferenceBackend owner, double[][] data, int columns) {
        return new ReferenceTensor(new Memory(owner, data), 0, data.length, columns, false);
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
    public Tensor slice(int first, int count) {
        memory.checkOpen();
        if (first < 0 || count < 0 || first > rows - count) {
            throw new IllegalArgumentException("slice of %d rows from %d of %d".formatted(count, first, rows));
        }
        return new ReferenceTensor(memory, from + first, count, columns, true);
    }

    /// The row itself, not a copy.
    double[] row(int row) {
        memory.checkOpen();
        if (row < 0 || row >= rows) {
            throw new IllegalArgumentException("row %d of %d".formatted(row, rows));
        }
        return memory.data[from + row];
    }

    @Override
    public void close() {
        if (!view) {
            memory.close();
        }
    }

    private static final class Memory {
        private final ReferenceBackend owner;
        private final double[][] data;
        private boolean closed;

        Memory(ReferenceBackend owner, double[][] data) {
            this.owner = owner;
            this.data = data;
        }

        void checkOpen() {
            if (closed) {
                throw new IllegalStateException("tensor is closed");
            }
        }

        void close() {
            if (!closed) {
                closed = true;
                owner.tensorClosed();
            }
        }
    }
}
