package io.github.sgpt4j.backend;

import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.tensor.DType;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The backends that the contract runs for. A new backend adds its entries here.
final class BackendsUnderTest {
    private BackendsUnderTest() {}

    /// For operations without weight matrices.
    static Stream<BackendUnderTest> plain() {
        return Stream.of(rounded());
    }

    /// For operations with weight matrices: also every type that they can be kept as.
    static Stream<BackendUnderTest> withWeightTypes() {
        return Stream.of(rounded());
    }

    /// Groups of configurations whose results must be equal.
    static Stream<List<BackendUnderTest>> sameResults() {
        return Stream.of(List.of(rounded(), rounded()));
    }

    private static BackendUnderTest rounded() {
        return new BackendUnderTest(
                "float reference", () -> new ReferenceBackend(v -> (float) v), Optional.<DType>empty(), Tolerance.FLOAT32);
    }
}
