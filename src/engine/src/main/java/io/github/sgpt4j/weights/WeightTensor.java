package io.github.sgpt4j.weights;

import io.github.sgpt4j.tensor.DType;
import io.github.sgpt4j.tensor.Shape;
import java.lang.foreign.MemorySegment;

/// A named tensor in mapped memory, row-major and little-endian.
///
/// The segment is borrowed: it is valid until the [Weights] it came from is closed.
///
/// @param name full name as stored in the file
/// @param file the file that holds it, for error messages
/// @param dtype element type
/// @param shape dimensions, outermost first
/// @param data read-only bytes, `shape.elements() * dtype.bytes()` long; not necessarily aligned to the element size
public record WeightTensor(String name, String file, DType dtype, Shape shape, MemorySegment data) {
    public WeightTensor {
        long expected = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException("tensor %s in %s: shape %s of %s needs %d bytes, got %d"
                    .formatted(name, file, shape, dtype, expected, data.byteSize()));
        }
    }
}
