package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.ffi.Streams;

/// Times work on a stream by the device's own clock. One use at a time.
final class EventTimer implements AutoCloseable {
    private final long stream;
    private final long from;
    private final long to;

    /// On a stream of the current context.
    EventTimer(long stream) {
        this.stream = stream;
        from = Streams.createTimedEvent();
        try {
            to = Streams.createTimedEvent();
        } catch (RuntimeException e) {
            Streams.destroyEvent(from);
            throw e;
        }
    }

    /// Queues `work`, waits for it, and tells how long it took.
    float milliseconds(Runnable work) {
        Streams.recordEvent(from, stream);
        work.run();
        Streams.recordEvent(to, stream);
        Streams.synchronizeEvent(to);
        return Streams.elapsedMillis(from, to);
    }

    /// Errors do not matter: a lost device has lost its events as well.
    @Override
    public void close() {
        Streams.destroyEvent(from);
        Streams.destroyEvent(to);
    }
}
