package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.concurrent.atomic.AtomicInteger;

final class ReferenceBatch implements Batch {
    private final PackedBatch packed;
    private final AtomicInteger openBatches;
    private boolean closed;

    ReferenceBatch(PackedBatch packed, AtomicInteger openBatches) {
        this.packed = packed;
        this.openBatches = openBatches;
    }

    @Override
    public PackedBatch packed() {
        return packed;
    }

    PackedBatch open() {
        if (closed) {
            throw new IllegalStateException("batch is closed");
        }
        return packed;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            openBatches.decrementAndGet();
        }
    }
}
