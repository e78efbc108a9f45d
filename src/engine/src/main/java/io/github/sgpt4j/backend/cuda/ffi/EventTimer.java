package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Times work on a stream by the device's own clock. One use at a time.
public final class EventTimer implements AutoCloseable {
    private static final int EVENT_TIMED = 0;

    private static final NativeFunction CREATE = Driver.function("cuEventCreate", ADDRESS, JAVA_INT);
    private static final NativeFunction ELAPSED = Driver.function("cuEventElapsedTime", ADDRESS, JAVA_LONG, JAVA_LONG);

    private final long stream;
    private final long from;
    private final long to;

    /// On a stream of the current context.
    public EventTimer(long stream) {
        this.stream = stream;
        from = create();
        to = create();
    }

    private static long create() {
        return CREATE.result((handle, out) -> (int) handle.invokeExact(out, EVENT_TIMED));
    }

    /// Queues `work`, waits for it, and tells how long it took.
    public float milliseconds(Runnable work) {
        Streams.recordEvent(from, stream);
        work.run();
        Streams.recordEvent(to, stream);
        Streams.synchronizeEvent(to);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(JAVA_FLOAT);
            ELAPSED.call(handle -> (int) handle.invokeExact(result, from, to));
            return result.get(JAVA_FLOAT, 0);
        }
    }

    /// Errors do not matter: a lost device has lost its events as well.
    @Override
    public void close() {
        Streams.destroyEvent(from);
        Streams.destroyEvent(to);
    }
}
