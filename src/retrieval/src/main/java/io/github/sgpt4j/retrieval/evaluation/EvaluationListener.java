package io.github.sgpt4j.retrieval.evaluation;

/// Reports the progress of an evaluation, on the caller's thread.
@FunctionalInterface
public interface EvaluationListener {
    /// Ignores all reports.
    EvaluationListener NONE = (task, done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param task what is being done, such as `embed scifact`; each task begins with `done` 0 and ends
    ///     with `done` = `total`
    /// @param done how much of it is done: bytes of a corpus, texts or pairs
    /// @param total how much there is
    void update(String task, long done, long total);
}
