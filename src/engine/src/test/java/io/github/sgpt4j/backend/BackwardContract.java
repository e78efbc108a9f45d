package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.function.BiConsumer;
import org.junit.jupiter.api.BeforeEach;

/// Runs operations of training on a backend and on the reference and compares the results.
abstract class BackwardContract extends BackendContract {
    protected Backward backward;

    protected BackwardContract(BackendUnderTest subject) {
        super(subject);
    }

    @BeforeEach
    void requireTraining() {
        assumeTrue(backend.backward().isPresent(), () -> subject.name() + " cannot train");
        backward = backend.backward().orElseThrow();
    }

    /// @param operation adds to sums `[rows, columns]`; runs twice
    protected void compareSums(
            String what, Tolerance allowed, int rows, int columns, BiConsumer<Side, Sums> operation) {
        try (Side expected = expected();
                Side tested = tested();
                Sums right = reference.backward().orElseThrow().sums(rows, columns);
                Sums result = backward.sums(rows, columns)) {
            for (int i = 0; i < 2; i++) {
                operation.accept(expected, right);
                operation.accept(tested, result);
            }
            allowed.check(subject.name() + ", " + what, values(right), values(result), columns);
        }
    }

    /// The operations of training on a side.
    static Backward backward(Side side) {
        return side.backend().backward().orElseThrow();
    }

    /// All sums, row by row.
    static double[] values(Sums sums) {
        double[] all = new double[Math.multiplyExact(sums.rows(), sums.columns())];
        double[] row = new double[sums.columns()];
        for (int r = 0; r < sums.rows(); r++) {
            sums.read(r, row);
            System.arraycopy(row, 0, all, r * row.length, row.length);
        }
        return all;
    }
}
