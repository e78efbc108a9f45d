package io.github.sgpt4j.weightstools.hub;

/// Is told how a download goes. Calls come one at a time, from several threads.
public interface HubListener {
    /// Does nothing.
    HubListener NONE = new HubListener() {};

    /// Something that a user may want to know: that a download starts, waits for another process, or tries again.
    ///
    /// @param sentence one sentence, without a full stop
    default void notice(String sentence) {}

    /// How far the download is, several times a second.
    ///
    /// @param done bytes that are there; may go back when a file has to be fetched anew
    /// @param total bytes of all files to fetch
    default void progress(long done, long total) {}

    /// A file has been fetched and checked.
    ///
    /// @param path its path in the repository
    /// @param bytes its length
    default void fetched(String path, long bytes) {}
}
