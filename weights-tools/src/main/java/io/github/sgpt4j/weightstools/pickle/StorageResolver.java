package io.github.sgpt4j.weightstools.pickle;

import java.util.Optional;

/// Says which storages a file has.
@FunctionalInterface
public interface StorageResolver {
    /// A storage that the pickle mentions.
    ///
    /// @param type its class
    /// @param key its name in the file
    /// @param bytes its whole length
    /// @param part the part of it that is meant, if not all
    record Request(Global.StorageClass type, String key, long bytes, Optional<Part> part) {}

    /// A storage within a storage: only in the form before PyTorch 1.6.
    ///
    /// @param offset first byte
    /// @param bytes length
    record Part(long offset, long bytes) {}

    /// Checks that the file has the storage, in this length.
    ///
    /// @param input says where an error is
    /// @throws io.github.sgpt4j.error.FormatException if not
    StorageView resolve(Request request, PickleInput input);
}
