package io.github.sgpt4j.backend;

import io.github.sgpt4j.weights.WeightTensor;

/// An embedding table `[rows, columns]`, prepared by a backend.
public interface Table {
    int rows();

    int columns();

    /// Refuses a tensor that is not a matrix.
    ///
    /// @throws IllegalArgumentException if it has another rank than 2
    static void requireMatrix(WeightTensor tensor) {
        if (tensor.shape().rank() != 2) {
            throw new IllegalArgumentException(
                    "tensor %s: expected a matrix, got shape %s".formatted(tensor.name(), tensor.shape()));
        }
    }
}
