package io.github.sgpt4j.backend;

import io.github.sgpt4j.tensor.DType;
import java.util.Optional;
import java.util.function.Supplier;

/// One configuration of a backend that must keep the contract.
///
/// @param name shown with failures
/// @param open makes a new instance; the test closes it
/// @param keptAs the type that weight matrices are converted to, or empty if they are kept as stored
/// @param tolerance how far results may be from the reference
record BackendUnderTest(String name, Supplier<Backend> open, Optional<DType> keptAs, Tolerance tolerance) {
    @Override
    public String toString() {
        return name;
    }
}
