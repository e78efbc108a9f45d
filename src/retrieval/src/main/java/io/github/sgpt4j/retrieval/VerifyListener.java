package io.github.sgpt4j.retrieval;

/// Reports the progress of an index check, on the caller's thread.
@FunctionalInterface
public interface VerifyListener {
    /// Ignores all reports.
    VerifyListener NONE = (task, done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param task what is checked: `bytes`, then `parts`, then `documents`; in a folder of shards followed by
    ///     ` of shard 1 of 3`
    /// @param done how many of them are done
    /// @param total how many there are
    void update(String task, long done, long total);
}
