package io.github.sgpt4j.documents;

import io.github.sgpt4j.retrieval.UpdateListener;

/// Is told of the progress of an update.
@FunctionalInterface
public interface FolderProgress {
    /// No reports.
    FolderProgress NONE = files -> UpdateListener.NONE;

    /// A listener for one update.
    ///
    /// @param files that are read, for their size and the position
    UpdateListener of(FolderReader files);
}
