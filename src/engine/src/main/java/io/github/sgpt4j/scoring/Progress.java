package io.github.sgpt4j.scoring;

/// Told how far a long call is, by one thread at a time: the caller's, or with several devices one of theirs.
@FunctionalInterface
public interface Progress {
    /// @param done items finished
    /// @param total items in all
    void update(long done, long total);
}
