package io.github.sgpt4j.backend;

import io.github.sgpt4j.tensor.ElementType;
import java.util.Optional;
import java.util.function.Supplier;

/// One configuration of a backend that must fulfil the contract.
///
/// @param name shown with failures
/// @param open makes a new instance; the test closes it
/// @param inner the type of values between products, or empty for 32-bit floats; inputs are rounded to it on both sides
/// @param keptAs the type that weight matrices are converted to, or empty if they are kept as stored
/// @param tolerance how far results may be from the reference
record BackendUnderTest(
        String name,
        Supplier<Backend> open,
        Optional<ElementType> keptAs,
        Optional<ElementType> inner,
        Tolerance tolerance) {
    /// With 32-bit floats between products.
    BackendUnderTest(String name, Supplier<Backend> open, Optional<ElementType> keptAs, Tolerance tolerance) {
        this(name, open, keptAs, Optional.empty(), tolerance);
    }

    @Override
    public String toString() {
        return name;
    }
}
