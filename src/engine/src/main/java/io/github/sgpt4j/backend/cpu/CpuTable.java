package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.weights.WeightTensor;

/// A lookup table, read from its mapped file.
final class CpuTable implements Table {
    private final WeightTensor weight;
    private final int rows;
    private final int columns;

    CpuTable(WeightTensor weight) {
        requireWeight(weight);
        Table.requireMatrix(weight);
        this.weight = weight;
        this.rows = Math.toIntExact(weight.shape().dimension(0));
        this.columns = Math.toIntExact(weight.shape().dimension(1));
    }

    static void requireWeight(WeightTensor tensor) {
        if (!tensor.dtype().isWeight()) {
            throw new BackendException("cpu: tensor %s in %s: expected weights of type F32, F16 or BF16, got %s"
                    .formatted(tensor.name(), tensor.file(), tensor.dtype()));
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

    @Override
    public WeightTensor stored() {
        return weight;
    }

    /// `out[o, o + columns) = table[row]`; followed by [WeightTensor#settle].
    void read(int row, float[] out, int o) {
        if (row < 0 || row >= rows) {
            throw new IllegalArgumentException(
                    "table %s: expected a row in [0, %d), got %d".formatted(weight.name(), rows, row));
        }
        long at = (long) row * columns * weight.dtype().bytes();
        Widening.widenMapped(weight.data(), weight.dtype(), at, out, o, columns);
    }
}
