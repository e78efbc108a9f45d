package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The part of the driver API that orders work: streams, events and copies; as [Driver] otherwise.
public final class Streams {
    private static final int NOT_READY = 600;

    // Flags
    private static final int STREAM_NON_BLOCKING = 1;
    private static final int EVENT_UNTIMED = 2;

    private static final NativeLibrary LIBRARY = Driver.LIBRARY;
    private static final MethodHandle COPY_IN =
            LIBRARY.function("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle COPY_OUT =
            LIBRARY.function("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle COPY =
            LIBRARY.function("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FILL =
            LIBRARY.function("cuMemsetD32Async", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STREAM_CREATE = LIBRARY.function("cuStreamCreate", ADDRESS, JAVA_INT);
    private static final MethodHandle STREAM_SYNCHRONIZE = LIBRARY.function("cuStreamSynchronize", JAVA_LONG);
    private static final MethodHandle STREAM_WAIT =
            LIBRARY.function("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle STREAM_DESTROY = LIBRARY.function("cuStreamDestroy_v2", JAVA_LONG);
    private static final MethodHandle EVENT_CREATE = LIBRARY.function("cuEventCreate", ADDRESS, JAVA_INT);
    private static final MethodHandle EVENT_RECORD = LIBRARY.function("cuEventRecord", JAVA_LONG, JAVA_LONG);
    private static final MethodHandle EVENT_SYNCHRONIZE = LIBRARY.function("cuEventSynchronize", JAVA_LONG);
    private static final MethodHandle EVENT_QUERY = LIBRARY.function("cuEventQuery", JAVA_LONG);
    private static final MethodHandle EVENT_DESTROY = LIBRARY.function("cuEventDestroy_v2", JAVA_LONG);

    private Streams() {}

    /// Host to device. `from` must stay unchanged until the stream has done it.
    public static void copyIn(long to, MemorySegment from, long bytes, long stream) {
        try {
            Driver.check((int) COPY_IN.invokeExact(to, from, bytes, stream), "cuMemcpyHtoDAsync_v2");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Device to host. `to` must not be read until the stream has done it.
    public static void copyOut(MemorySegment to, long from, long bytes, long stream) {
        try {
            Driver.check((int) COPY_OUT.invokeExact(to, from, bytes, stream), "cuMemcpyDtoHAsync_v2");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Device to device.
    public static void copy(long to, long from, long bytes, long stream) {
        try {
            Driver.check((int) COPY.invokeExact(to, from, bytes, stream), "cuMemcpyDtoDAsync_v2");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Sets `count` 32-bit words.
    public static void fill(long to, int value, long count, long stream) {
        try {
            Driver.check((int) FILL.invokeExact(to, value, count, stream), "cuMemsetD32Async");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// A stream that does not wait for the null stream.
    public static long createStream() {
        return Driver.longResult("cuStreamCreate", out -> (int) STREAM_CREATE.invokeExact(out, STREAM_NON_BLOCKING));
    }

    public static void synchronizeStream(long stream) {
        try {
            Driver.check((int) STREAM_SYNCHRONIZE.invokeExact(stream), "cuStreamSynchronize");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// What comes later on `stream` waits for the event.
    public static void streamWait(long stream, long event) {
        try {
            Driver.check((int) STREAM_WAIT.invokeExact(stream, event, 0), "cuStreamWaitEvent");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static int destroyStream(long stream) {
        try {
            return (int) STREAM_DESTROY.invokeExact(stream);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// An event that orders work; it takes no times.
    public static long createEvent() {
        return Driver.longResult("cuEventCreate", out -> (int) EVENT_CREATE.invokeExact(out, EVENT_UNTIMED));
    }

    public static void recordEvent(long event, long stream) {
        try {
            Driver.check((int) EVENT_RECORD.invokeExact(event, stream), "cuEventRecord");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// As [#recordEvent], for use while giving something back, when another failure may be on its way: returns the
    /// status.
    public static int tryRecordEvent(long event, long stream) {
        try {
            return (int) EVENT_RECORD.invokeExact(event, stream);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Waits until everything before the event is done.
    public static void synchronizeEvent(long event) {
        try {
            Driver.check((int) EVENT_SYNCHRONIZE.invokeExact(event), "cuEventSynchronize");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Whether everything before the event is done.
    public static boolean isDone(long event) {
        try {
            int status = (int) EVENT_QUERY.invokeExact(event);
            if (status == NOT_READY) {
                return false;
            }
            Driver.check(status, "cuEventQuery");
            return true;
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static int destroyEvent(long event) {
        try {
            return (int) EVENT_DESTROY.invokeExact(event);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }
}
