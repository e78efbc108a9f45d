package io.github.sgpt4j.weights;

import io.github.sgpt4j.tensor.Shape;

/// A tensor that a model asks for.
///
/// @param name its name in the file
/// @param shape the shape it must have
/// @param use what it is for
public record ExpectedTensor(String name, Shape shape, Use use) {
    /// What tensors are for, which decides how devices keep them.
    public enum Use {
        /// Rows that are looked up.
        TABLE,
        /// The weights of a projection, `[out, in]`.
        MATRIX,
        /// The same, `[in, out]`.
        TRANSPOSED_MATRIX,
        /// A bias, or gain and bias of a norm.
        VECTOR
    }

    public ExpectedTensor(String name, Use use, long... shape) {
        this(name, Shape.of(shape), use);
    }
}
