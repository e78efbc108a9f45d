package io.github.sgpt4j.scoring;

/// Told how far a long call is, on the caller's thread.
@FunctionalInterface
public interface Progress {
    /// @param done items finished
    /// @param total items in all
    void update(long done, long total);
}
