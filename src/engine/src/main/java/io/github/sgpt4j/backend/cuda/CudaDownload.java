package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.backend.cuda.memory.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// A tensor of 32-bit floats on its way to pinned memory.
final class CudaDownload implements Download {
    private final CudaEngine engine;
    /// Held until the values have arrived.
    private final @Nullable DeviceBuffer device;

    private final PinnedBuffer host;
    private final int count;
    private boolean done;

    /// Queues the copy on a stream.
    private CudaDownload(
            CudaEngine engine, CudaTensor x, PinnedBuffer host, long stream, @Nullable DeviceBuffer device) {
        this.engine = engine;
        this.host = host;
        this.device = device;
        count = Math.multiplyExact(x.rows(), x.columns());
        try {
            Streams.copyOut(host.memory(), x.address(), x.bytes(), stream);
            Streams.recordEvent(host.event(), stream);
        } catch (RuntimeException e) {
            // The copy may be queued.
            engine.pinned().give(host, stream);
            if (device != null) {
                device.close();
            }
            throw e;
        }
    }

    /// Queues the copy behind all work so far, but beside what follows. Holds the tensor's memory until it has arrived.
    static CudaDownload beside(CudaEngine engine, CudaTensor x) {
        PinnedBuffer host = engine.pinned().take(x.bytes());
        // The event of the buffer says first that the values are computed, then that they have arrived.
        try {
            Streams.recordEvent(host.event(), engine.compute());
            Streams.streamWait(engine.downloads(), host.event());
        } catch (RuntimeException e) {
            engine.pinned().give(host);
            throw e;
        }
        return new CudaDownload(engine, x, host, engine.downloads(), x.buffer().retain());
    }

    /// Queues the copy between work so far and what follows, which may write the values again.
    static CudaDownload inOrder(CudaEngine engine, CudaTensor x) {
        return new CudaDownload(engine, x, engine.pinned().take(x.bytes()), engine.compute(), null);
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
        if (device != null) {
            device.close();
        }
        engine.pinned().give(host);
    }
}
