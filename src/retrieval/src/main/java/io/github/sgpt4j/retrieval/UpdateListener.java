package io.github.sgpt4j.retrieval;

/// Reports the progress of an update, on the caller's thread; an exception it throws ends the update,
/// which keeps what was committed.
public interface UpdateListener {
    /// Ignores all reports.
    UpdateListener NONE = new UpdateListener() {};

    /// A batch of documents was read.
    default void batchRead() {}

    /// The model embedded some of the batch's texts.
    ///
    /// @param done documents embedded, about: the share of the passages that are
    /// @param total documents of the batch to embed
    default void embedded(long done, long total) {}

    /// A batch is on disk, where no crash can lose it.
    ///
    /// @param soFar everything up to and including this batch
    default void committed(UpdateReport soFar) {}
}
