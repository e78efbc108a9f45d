package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/// The part of the driver API that records what a stream is given, to launch it again and again; as [Driver] otherwise.
public final class Graphs {
    /// `CU_STREAM_CAPTURE_MODE_THREAD_LOCAL`: other threads may wait for their own work meanwhile.
    private static final int THREAD_LOCAL = 1;

    private static final NativeFunction BEGIN = Driver.function("cuStreamBeginCapture_v2", JAVA_LONG, JAVA_INT);
    private static final NativeFunction END = Driver.function("cuStreamEndCapture", JAVA_LONG, ADDRESS);
    private static final NativeFunction INSTANTIATE =
            Driver.function("cuGraphInstantiateWithFlags", ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final NativeFunction LAUNCH = Driver.function("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
    private static final NativeFunction DESTROY_GRAPH = Driver.function("cuGraphDestroy", JAVA_LONG);
    private static final NativeFunction DESTROY = Driver.function("cuGraphExecDestroy", JAVA_LONG);

    /// A capture is invalid once any thread waits for the whole context, and that wait fails.
    private static final ReentrantReadWriteLock CAPTURES = new ReentrantReadWriteLock();

    private Graphs() {}

    /// Records what `work` queues on a stream, which runs none of it; the caller destroys the result. Nobody may wait
    /// for this stream meanwhile. If anything fails, the capture is over.
    ///
    /// @return the executable graph
    public static long record(long stream, Runnable work) {
        long graph = capture(stream, work);
        try {
            return INSTANTIATE.result((handle, out) -> (int) handle.invokeExact(out, graph, 0L));
        } finally {
            destroyGraph(graph);
        }
    }

    private static long capture(long stream, Runnable work) {
        CAPTURES.writeLock().lock();
        try {
            BEGIN.call(handle -> (int) handle.invokeExact(stream, THREAD_LOCAL));
            try {
                work.run();
            } catch (RuntimeException | Error e) {
                end(stream);
                throw e;
            }
            return END.result((handle, out) -> (int) handle.invokeExact(stream, out));
        } finally {
            CAPTURES.writeLock().unlock();
        }
    }

    /// Ends a capture that is of no use.
    private static void end(long stream) {
        try {
            destroyGraph(END.result((handle, out) -> (int) handle.invokeExact(stream, out)));
        } catch (RuntimeException e) {
            // An invalid capture ends with this; another failure is on its way.
        }
    }

    private static void destroyGraph(long graph) {
        DESTROY_GRAPH.status(handle -> (int) handle.invokeExact(graph));
    }

    /// Queues all that a graph recorded.
    public static void launch(long graph, long stream) {
        LAUNCH.call(handle -> (int) handle.invokeExact(graph, stream));
    }

    /// Launches of it that are queued still run.
    public static int destroy(long graph) {
        return DESTROY.status(handle -> (int) handle.invokeExact(graph));
    }

    /// Waits for something while no stream is captured.
    static void whileNoneIsCaptured(Runnable wait) {
        CAPTURES.readLock().lock();
        try {
            wait.run();
        } finally {
            CAPTURES.readLock().unlock();
        }
    }
}
