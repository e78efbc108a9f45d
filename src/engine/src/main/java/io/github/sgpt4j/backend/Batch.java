package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;

/// A [PackedBatch] whose index arrays are in a backend's memory.
public interface Batch extends AutoCloseable {
    PackedBatch packed();

    @Override
    void close();
}
