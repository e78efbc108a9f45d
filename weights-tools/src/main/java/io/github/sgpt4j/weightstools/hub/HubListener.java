package io.github.sgpt4j.weightstools.hub;

/// Reports the progress of a download. Calls come from several threads, one at a time.
public interface HubListener {
    /// Ignores all reports.
    HubListener NONE = new HubListener() {};

    /// Something that a user may want to know: that a download starts, waits for another process, or is
    /// retried.
    ///
    /// @param sentence one sentence, without a full stop
    default void notice(String sentence) {}

    /// The progress of the download, several times a second.
    ///
    /// @param done bytes present; may decrease when a file must be downloaded again
    /// @param total bytes of all files to download
    default void progress(long done, long total) {}

    /// A file has been downloaded and checked.
    ///
    /// @param path its path in the repository
    /// @param bytes its length
    default void fetched(String path, long bytes) {}
}
