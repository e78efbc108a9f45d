package io.github.sgpt4j.retrieval.evaluation;

/// Told how far an evaluation is. Called on the caller's thread.
@FunctionalInterface
public interface EvaluationListener {
    /// Listens to nothing.
    EvaluationListener NONE = (task, done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param task what is being done, such as `embed scifact`; each begins with `done` 0 and ends with `done` =
    ///     `total`
    /// @param done how much of it is done: bytes of a corpus, texts or pairs
    /// @param total all of it
    void update(String task, long done, long total);
}
