package io.github.sgpt4j;

import java.nio.file.Path;
import java.util.List;

/// A stored tensor of a checkpoint.
///
/// @param name its name
/// @param dtype element type as the file calls it, such as `F16`
/// @param shape dimensions, outermost first
/// @param elements how many elements it has
/// @param bytes how many bytes they take in the file
/// @param file the file that holds it
public record TensorInfo(String name, String dtype, List<Long> shape, long elements, long bytes, Path file) {
    /// Keeps a copy of the shape.
    public TensorInfo {
        shape = List.copyOf(shape);
    }
}
