package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.tensor.ElementType;
import java.util.Optional;

/// A range of a storage in a file.
///
/// @param key the storage's name in its file
/// @param type element type; empty for plain bytes
/// @param offset first byte within the storage
/// @param bytes length
public record StorageView(String key, Optional<ElementType> type, long offset, long bytes) {
    public StorageView {
        if (offset < 0 || bytes < 0 || offset > Long.MAX_VALUE - bytes) {
            throw new IllegalArgumentException("storage at %d, %d bytes".formatted(offset, bytes));
        }
    }
}
