package io.github.sgpt4j.inference;

/// Told how far a long call is, by one thread at a time: the caller's, or one that computes for it.
@FunctionalInterface
public interface Progress {
    /// @param done items finished
    /// @param total items in all
    void update(long done, long total);
}
