package io.github.sgpt4j.inference;

/// Reports the progress of a long call, by one thread at a time: the caller's, or one that computes for
/// it.
@FunctionalInterface
public interface Progress {
    /// @param done items finished
    /// @param total items in total
    void update(long done, long total);
}
