package io.github.sgpt4j.weights;

import io.github.sgpt4j.tensor.Shape;

/// A tensor that a model needs.
///
/// @param name its name in the file
/// @param shape the shape it must have
/// @param use its purpose
public record ExpectedTensor(String name, Shape shape, Use use) {
    /// The purpose of a tensor, which determines how devices hold it.
    public enum Use {
        /// Rows to look up.
        TABLE,
        /// The weights of a projection, `[out, in]`.
        MATRIX,
        /// The weights of a projection, `[in, out]`.
        TRANSPOSED_MATRIX,
        /// A bias, or gain and bias of a norm.
        VECTOR
    }

    public ExpectedTensor(String name, Use use, long... shape) {
        this(name, Shape.of(shape), use);
    }
}
