package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// The part of the driver API that orders work: streams, events and copies; as [Driver] otherwise.
public final class Streams {
    private static final int NOT_READY = 600;

    // Flags
    private static final int STREAM_NON_BLOCKING = 1;
    private static final int EVENT_TIMED = 0;
    private static final int EVENT_UNTIMED = 2;

    private static final NativeFunction COPY_IN =
            Driver.function("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final NativeFunction COPY_OUT =
            Driver.function("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final NativeFunction COPY =
            Driver.function("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final NativeFunction FILL =
            Driver.function("cuMemsetD32Async", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final NativeFunction STREAM_CREATE = Driver.function("cuStreamCreate", ADDRESS, JAVA_INT);
    private static final NativeFunction STREAM_SYNCHRONIZE = Driver.function("cuStreamSynchronize", JAVA_LONG);
    private static final NativeFunction STREAM_WAIT =
            Driver.function("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final NativeFunction STREAM_DESTROY = Driver.function("cuStreamDestroy_v2", JAVA_LONG);
    private static final NativeFunction EVENT_CREATE = Driver.function("cuEventCreate", ADDRESS, JAVA_INT);
    private static final NativeFunction EVENT_RECORD = Driver.function("cuEventRecord", JAVA_LONG, JAVA_LONG);
    private static final NativeFunction EVENT_SYNCHRONIZE = Driver.function("cuEventSynchronize", JAVA_LONG);
    private static final NativeFunction EVENT_QUERY = Driver.function("cuEventQuery", JAVA_LONG);
    private static final NativeFunction EVENT_ELAPSED =
            Driver.function("cuEventElapsedTime", ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final NativeFunction EVENT_DESTROY = Driver.function("cuEventDestroy_v2", JAVA_LONG);

    private Streams() {}

    /// Host to device. `from` must stay unchanged until the stream has done it.
    public static void copyIn(long to, MemorySegment from, long bytes, long stream) {
        COPY_IN.call(handle -> (int) handle.invokeExact(to, from, bytes, stream));
    }

    /// Device to host. `to` must not be read until the stream has done it.
    public static void copyOut(MemorySegment to, long from, long bytes, long stream) {
        COPY_OUT.call(handle -> (int) handle.invokeExact(to, from, bytes, stream));
    }

    /// Device to device.
    public static void copy(long to, long from, long bytes, long stream) {
        COPY.call(handle -> (int) handle.invokeExact(to, from, bytes, stream));
    }

    /// Sets `count` 32-bit words.
    public static void fill(long to, int value, long count, long stream) {
        FILL.call(handle -> (int) handle.invokeExact(to, value, count, stream));
    }

    /// A stream that does not wait for the null stream.
    public static long createStream() {
        return STREAM_CREATE.result((handle, out) -> (int) handle.invokeExact(out, STREAM_NON_BLOCKING));
    }

    public static void synchronizeStream(long stream) {
        STREAM_SYNCHRONIZE.call(handle -> (int) handle.invokeExact(stream));
    }

    /// What comes later on `stream` waits for the event.
    public static void streamWait(long stream, long event) {
        STREAM_WAIT.call(handle -> (int) handle.invokeExact(stream, event, 0));
    }

    public static int destroyStream(long stream) {
        return STREAM_DESTROY.status(handle -> (int) handle.invokeExact(stream));
    }

    /// An event that orders work; it takes no times.
    public static long createEvent() {
        return EVENT_CREATE.result((handle, out) -> (int) handle.invokeExact(out, EVENT_UNTIMED));
    }

    /// An event that takes the time at which a stream reaches it.
    public static long createTimedEvent() {
        return EVENT_CREATE.result((handle, out) -> (int) handle.invokeExact(out, EVENT_TIMED));
    }

    /// Milliseconds between two timed events that streams have reached.
    public static float elapsedMillis(long start, long end) {
        long bits = EVENT_ELAPSED.result((handle, out) -> (int) handle.invokeExact(out, start, end));
        return Float.intBitsToFloat((int) bits);
    }

    public static void recordEvent(long event, long stream) {
        EVENT_RECORD.call(handle -> (int) handle.invokeExact(event, stream));
    }

    /// As [#recordEvent], for use while giving something back, when another failure may be on its way: returns the
    /// status.
    public static int tryRecordEvent(long event, long stream) {
        return EVENT_RECORD.status(handle -> (int) handle.invokeExact(event, stream));
    }

    /// Waits until everything before the event is done.
    public static void synchronizeEvent(long event) {
        EVENT_SYNCHRONIZE.call(handle -> (int) handle.invokeExact(event));
    }

    /// Whether everything before the event is done.
    public static boolean isDone(long event) {
        int status = EVENT_QUERY.status(handle -> (int) handle.invokeExact(event));
        if (status == NOT_READY) {
            return false;
        }
        Driver.check(status, EVENT_QUERY.name());
        return true;
    }

    public static int destroyEvent(long event) {
        return EVENT_DESTROY.status(handle -> (int) handle.invokeExact(event));
    }
}
