package io.github.sgpt4j;

/// Reports the progress of a long call after each batch. An exception that it throws ends the call.
/// Called by one thread at a time, the caller's or one that computes for it; if it interrupts that
/// thread, the call ends with a [CancelledException][io.github.sgpt4j.error.CancelledException].
@FunctionalInterface
public interface ProgressListener {
    /// Ignores progress.
    ProgressListener NONE = (done, total) -> {};

    /// Called after each batch.
    ///
    /// @param done texts or pairs finished
    /// @param total texts or pairs in the call
    void update(long done, long total);
}
