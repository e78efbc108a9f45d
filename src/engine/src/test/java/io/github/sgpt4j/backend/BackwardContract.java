package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
