package io.github.sgpt4j.weightstools;

/// Reports the progress of opening a model by name: its download and the conversion of its weights, if
/// they are needed. Calls come from several threads, one at a time.
public interface ModelsListener {
    /// Ignores all reports.
    ModelsListener NONE = new ModelsListener() {};

    /// Something that a user may want to know: that a download or a conversion starts, waits for
    /// another process, or is retried, or which base model an adapter is merged into.
    ///
    /// @param sentence one sentence, without a full stop
    default void notice(String sentence) {}

    /// The progress of a download, several times a second.
    ///
    /// @param done bytes present; may decrease when a file must be downloaded again
    /// @param total bytes of all files to download
    default void downloading(long done, long total) {}

    /// A file has been downloaded and checked.
    ///
    /// @param path its path in the repository
    /// @param bytes its length
    default void fetched(String path, long bytes) {}

    /// The progress of a conversion, every few megabytes.
    ///
    /// @param done bytes of tensors written
    /// @param total bytes of all tensors to write
    default void converting(long done, long total) {}

    /// A download or a conversion has ended, successfully or not.
    default void finished() {}
}
