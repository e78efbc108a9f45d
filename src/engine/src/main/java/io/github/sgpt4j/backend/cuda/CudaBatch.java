package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.batch.PackedBatch;

/// A packed batch whose index arrays are on the device.
final class CudaBatch implements Batch {
    private final PackedBatch packed;
    private final BatchIndex index;
    private final IndexArrays.Memory memory;
    private boolean closed;

    CudaBatch(PackedBatch packed, BatchIndex index, IndexArrays.Memory memory) {
        this.packed = packed;
        this.index = index;
        this.memory = memory;
    }

    @Override
    public PackedBatch packed() {
        if (closed) {
            throw new IllegalStateException("batch is closed");
        }
        return packed;
    }

    BatchIndex index() {
        return index;
    }

    /// Address of the ints at an offset of the index.
    long address(int offset) {
        return memory.address() + (long) offset * Integer.BYTES;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            memory.close();
        }
    }
}
