package io.github.sgpt4j.backend;

import io.github.sgpt4j.weights.WeightTensor;

/// An embedding table `[rows, columns]`, prepared by a backend.
public interface Table {
    int rows();

    int columns();

    /// The stored table.
    WeightTensor stored();

    /// Requires a tensor to be a matrix.
    ///
    /// @throws IllegalArgumentException if its rank is not 2
    static void requireMatrix(WeightTensor tensor) {
        if (tensor.shape().rank() != 2) {
            throw new IllegalArgumentException(
                    "tensor %s: expected a matrix, got shape %s".formatted(tensor.name(), tensor.shape()));
        }
    }
}
