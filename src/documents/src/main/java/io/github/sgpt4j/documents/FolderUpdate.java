package io.github.sgpt4j.documents;

import io.github.sgpt4j.retrieval.UpdateReport;

/// What an update of an index from a folder did.
///
/// @param files what became of the files
/// @param documents what became of the documents that were read
/// @param removed documents taken out, since their file or record is gone
public record FolderUpdate(FolderReport files, UpdateReport documents, long removed) {}
