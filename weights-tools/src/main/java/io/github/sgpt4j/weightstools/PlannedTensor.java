package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import java.io.IOException;
import java.util.function.LongConsumer;

/// A tensor to be written.
sealed interface PlannedTensor permits PickledTensor, MergedTensor {
    /// Its name.
    String name();

    /// Dimensions, outermost first.
    Shape shape();

    /// Element type to write.
    ElementType type();

    /// Bytes to write.
    default long bytes() {
        return type().bytes(shape().elements());
    }

    /// Writes all elements, row-major, through buffers of a fixed size.
    ///
    /// @param written called with the number of bytes of each piece
    void writeTo(SafetensorsWriter.Sink out, LongConsumer written) throws IOException;
}
