package io.github.sgpt4j.weightstools;

/// Is told how opening a model by name goes: of its download and of the conversion of its weights,
/// where these are necessary. Calls come one at a time, from several threads.
public interface ModelsListener {
    /// Does nothing.
    ModelsListener NONE = new ModelsListener() {};

    /// Something that a user may want to know: that a download or a conversion starts, waits for
    /// another process, or is tried again, or which base model an adapter is merged into.
    ///
    /// @param sentence one sentence, without a full stop
    default void notice(String sentence) {}

    /// How far a download is, several times a second.
    ///
    /// @param done bytes that are there; may go back when a file has to be fetched anew
    /// @param total bytes of all files to fetch
    default void downloading(long done, long total) {}

    /// A file has been fetched and checked.
    ///
    /// @param path its path in the repository
    /// @param bytes its length
    default void fetched(String path, long bytes) {}

    /// How far a conversion is, every few megabytes.
    ///
    /// @param done bytes of tensors written
    /// @param total bytes of all tensors to write
    default void converting(long done, long total) {}

    /// A download or a conversion is over, whether well or not.
    default void finished() {}
}
