package io.github.sgpt4j.retrieval;

/// Told how far the check of an index is, on the caller's thread.
@FunctionalInterface
public interface VerifyListener {
    /// Listens to nothing.
    VerifyListener NONE = (task, done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param task what is looked at: `bytes`, then `parts`, then `documents`
    /// @param done how many of them are done
    /// @param total all of them
    void update(String task, long done, long total);
}
