package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.SequenceRows;
import java.util.Arrays;
import java.util.List;

/// What every backend asks of operands, whatever its tensors are.
public final class OperandChecks {
    private OperandChecks() {}

    /// @throws IllegalArgumentException unless all are rows of `x`
    public static void rows(int[] rows, Tensor x, String operation) {
        for (int row : rows) {
            if (row < 0 || row >= x.rows()) {
                throw new IllegalArgumentException("%s: row %d of %d".formatted(operation, row, x.rows()));
            }
        }
    }

    /// @throws IllegalArgumentException unless [Backend#pool] can do this
    public static void pool(Tensor x, SequenceRows sequences, int[] skip, List<PoolMode> modes) {
        if (modes.isEmpty()
                || skip.length != sequences.count()
                || Arrays.stream(skip).anyMatch(s -> s < 0)) {
            throw new IllegalArgumentException(
                    "pool: %d sequences, skip %s, modes %s".formatted(sequences.count(), Arrays.toString(skip), modes));
        }
        rows(sequences.rows(), x, "pool");
    }
}
