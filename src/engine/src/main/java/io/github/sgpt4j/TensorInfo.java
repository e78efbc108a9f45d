package io.github.sgpt4j;

import java.nio.file.Path;
import java.util.List;

/// A stored tensor of a checkpoint.
///
/// @param name its name
/// @param dtype element type as named in the file, such as `F16`
/// @param shape dimensions, outermost first
/// @param elements number of elements
/// @param bytes size in the file, in bytes
/// @param file the file that holds it
public record TensorInfo(String name, String dtype, List<Long> shape, long elements, long bytes, Path file) {
    /// Copies the shape.
    public TensorInfo {
        shape = List.copyOf(shape);
    }
}
