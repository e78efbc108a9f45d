package io.github.sgpt4j;

import java.util.List;

/// A stored tensor that embedding uses, and so can be trained. The output head is none.
///
/// @param name its stored name
/// @param shape dimensions, outermost first
/// @param use what the model does with it
public record TrainableTensor(String name, List<Long> shape, Use use) {
    /// What a tensor is for.
    public enum Use {
        /// The table of token embeddings.
        EMBEDDING,
        /// The table of positions.
        POSITIONS,
        /// The weights of a projection, `[out, in]`.
        MATRIX,
        /// The weights of a projection, `[in, out]`.
        TRANSPOSED_MATRIX,
        /// A bias, or the gain of a norm.
        VECTOR
    }

    /// Copies the shape.
    public TrainableTensor {
        shape = List.copyOf(shape);
    }

    /// Whether it holds the weights of a projection.
    public boolean isMatrix() {
        return use == Use.MATRIX || use == Use.TRANSPOSED_MATRIX;
    }

    /// Whether "bias" occurs in its name, as BitFit selects tensors.
    public boolean isBias() {
        return name.contains("bias");
    }

    /// Number of elements.
    public long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }
}
