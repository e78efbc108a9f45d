package io.github.sgpt4j.spark;

/// What [SgptIndexer] has written.
///
/// @param shards number of indexes, one for each partition with rows
/// @param documents number of documents in all shards
/// @param bytes of all files of the shards
public record IndexSummary(int shards, long documents, long bytes) {}
