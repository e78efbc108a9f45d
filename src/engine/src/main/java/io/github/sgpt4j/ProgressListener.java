package io.github.sgpt4j;

/// Told how far a long call is, after each batch; an exception it throws ends the call. Called on the caller's thread,
/// with several devices on one of theirs, one at a time.
@FunctionalInterface
public interface ProgressListener {
    /// Listens to nothing.
    ProgressListener NONE = (done, total) -> {};

    /// @param done texts or pairs finished
    /// @param total texts or pairs in the call
    void update(long done, long total);
}
