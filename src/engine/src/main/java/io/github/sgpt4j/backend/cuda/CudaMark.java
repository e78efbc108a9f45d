package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.TimeMark;
import io.github.sgpt4j.backend.cuda.ffi.Streams;

/// A moment on the compute stream: an event that takes the time, so that nothing waits for it.
final class CudaMark implements TimeMark {
    private static final double MILLIS = 1e3;

    private final CudaEngine engine;
    private final long event;
    private boolean closed;

    /// Marks the end of what is queued. Runs under the engine's lock.
    CudaMark(CudaEngine engine) {
        this.engine = engine;
        event = Streams.createTimedEvent();
        try {
            Streams.recordEvent(event, engine.compute());
        } catch (RuntimeException e) {
            Streams.destroyEvent(event);
            throw e;
        }
    }

    @Override
    public double secondsSince(TimeMark earlier) {
        CudaMark start = (CudaMark) earlier;
        engine.await(event);
        return engine.call(() -> Streams.elapsedMillis(start.event, event)) / MILLIS;
    }

    @Override
    public void close() {
        if (!closed && !engine.isClosed() && !engine.isLost()) {
            closed = true;
            engine.call(() -> Streams.destroyEvent(event));
        }
    }
}
