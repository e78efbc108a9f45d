package io.github.sgpt4j.backend;

import io.github.sgpt4j.backend.reference.ReferenceBackend;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Runs operations on a backend and on the reference and compares the results. Subclasses contain
/// the operations; each runs for every backend in [BackendsUnderTest].
abstract class BackendContract {
    protected final BackendUnderTest subject;
    protected final Tolerance tolerance;
    protected final TestData data = new TestData();
    protected Backend backend;
    protected ReferenceBackend reference;
    protected TestWeights weights;

    protected BackendContract(BackendUnderTest subject) {
        this.subject = subject;
        this.tolerance = subject.tolerance();
    }

    @BeforeEach
    void openBackends() {
        weights = new TestWeights();
        reference = new ReferenceBackend();
        backend = subject.open().get();
    }

    @AfterEach
    void closeBackends() {
        backend.close();
        reference.close();
        weights.close();
    }

    /// A side for the backend under test.
    protected Side tested() {
        return new Side(backend, data, weight -> weight, subject.inner());
    }

    /// A side for the reference, with weight matrices rounded as the backend under test keeps them.
    protected Side expected() {
        Side.WeightRounding rounding =
                subject.keptAs().map(kept -> Side.roundingTo(kept, weights)).orElse(weight -> weight);
        return new Side(reference, data, rounding, subject.inner());
    }

    protected void compare(String what, Function<Side, Tensor> operation) {
        compare(what, tolerance, operation);
    }

    /// @param operation makes inputs and outputs on the given side, runs, returns the tensor to compare
    protected void compare(String what, Tolerance allowed, Function<Side, Tensor> operation) {
        try (Side expected = expected();
                Side tested = tested()) {
            Tensor right = operation.apply(expected);
            Tensor result = operation.apply(tested);
            allowed.check(
                    subject.name() + ", " + what, expected.values(right), tested.values(result), result.columns());
        }
    }
}
