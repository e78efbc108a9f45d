package io.github.sgpt4j;

/// Told how far a long call is, after each batch; an exception it throws ends the call. Called by one thread at a time,
/// the caller's or one that computes for it; if it interrupts that thread, the call ends with a
/// [CancelledException][io.github.sgpt4j.error.CancelledException].
@FunctionalInterface
public interface ProgressListener {
    /// Listens to nothing.
    ProgressListener NONE = (done, total) -> {};

    /// Called after each batch.
    ///
    /// @param done texts or pairs finished
    /// @param total texts or pairs in the call
    void update(long done, long total);
}
