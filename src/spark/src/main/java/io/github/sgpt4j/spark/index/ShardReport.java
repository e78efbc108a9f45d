package io.github.sgpt4j.spark.index;

import java.io.Serializable;

/// What one attempt of a task has written.
///
/// @param partition number of the shard
/// @param folder of the attempt
/// @param documents number of documents in the shard
/// @param bytes of its files
/// @param model fingerprint of the model that embedded them
/// @param id of the index
public record ShardReport(int partition, String folder, long documents, long bytes, String model, String id)
        implements Serializable {}
