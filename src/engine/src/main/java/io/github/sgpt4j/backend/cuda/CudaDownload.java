package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.backend.cuda.memory.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A tensor of 32-bit floats on its way to pinned memory. Holds the tensor's memory until it has arrived.
final class CudaDownload implements Download {
    private final CudaEngine engine;
    private final DeviceBuffer device;
    private final PinnedBuffer host;
    private final int count;
    private boolean done;

    /// Queues the copy behind all work so far.
    CudaDownload(CudaEngine engine, CudaTensor x) {
        this.engine = engine;
        count = Math.multiplyExact(x.rows(), x.columns());
        host = engine.pinned().take(x.bytes());
        device = x.buffer().retain();
        // The event of the buffer says first that the values are computed, then that they have arrived.
        Streams.recordEvent(host.event(), engine.compute());
        Streams.streamWait(engine.downloads(), host.event());
        Streams.copyOut(host.memory(), x.address(), x.bytes(), engine.downloads());
        Streams.recordEvent(host.event(), engine.downloads());
    }

    @Override
    public float[] get() {
        if (done) {
            throw new IllegalStateException("the values were taken or given up");
        }
        float[] values = new float[count];
        try {
            engine.await(host.event());
            MemorySegment.copy(host.memory(), ValueLayout.JAVA_FLOAT, 0, values, 0, count);
        } finally {
            release();
        }
        return values;
    }

    @Override
    public void close() {
        if (!done && !engine.isClosed()) {
            try {
                if (!engine.isLost()) {
                    engine.await(host.event());
                }
            } finally {
                release();
            }
        }
    }

    private void release() {
        done = true;
        device.close();
        engine.pinned().give(host);
    }
}
