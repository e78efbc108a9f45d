package io.github.sgpt4j.weightstools.pickle;

import java.util.Optional;

/// Knows the storages of a file.
@FunctionalInterface
public interface StorageResolver {
    /// A storage that the pickle mentions.
    ///
    /// @param type its class
    /// @param key its name in the file
    /// @param bytes its whole length
    /// @param part the part of it that is used, if not all
    record Request(Global.StorageClass type, String key, long bytes, Optional<Part> part) {}

    /// A storage within a storage; only in the format before PyTorch 1.6.
    ///
    /// @param offset first byte
    /// @param bytes length
    record Part(long offset, long bytes) {}

    /// Checks that the file has the storage, with this length.
    ///
    /// @param input for the position of an error
    /// @throws io.github.sgpt4j.error.FormatException if it does not
    StorageView resolve(Request request, PickleInput input);
}
