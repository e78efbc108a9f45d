package io.github.sgpt4j.retrieval.interrupts;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;

/// One thread that nobody interrupts, for work with files that callers share.
///
/// An interrupt of a thread that is using a JDK channel closes the channel, for every other thread as
/// well, and releases the locks held through it. So callers leave such work to this thread and wait
/// until it is done; an interrupt of theirs stays pending. Work is done in the order of the calls, one
/// piece at a time.
public final class SteadyThread implements AutoCloseable {
    private final ExecutorService thread;
    private final String closed;

    /// Something to do.
    @FunctionalInterface
    public interface Work<T> {
        /// Does it.
        T run() throws IOException;
    }

    /// Creates a thread, which starts with its first work.
    ///
    /// @param name of the thread
    /// @param closed the message for calls after [#close]
    public SteadyThread(String name, String closed) {
        thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name(name).factory());
        this.closed = closed;
    }

    /// Runs work to its end.
    ///
    /// @throws IOException as the work does
    /// @throws IllegalStateException after [#close]
    public <T> T call(Work<T> work) throws IOException {
        Future<T> result;
        try {
            result = thread.submit(work::run);
        } catch (RejectedExecutionException e) {
            throw new IllegalStateException(closed, e);
        }
        return await(result);
    }

    /// Runs work to its end in a thread of its own.
    ///
    /// @param name of the thread
    /// @throws IOException as the work does
    public static <T> T once(String name, Work<T> work) throws IOException {
        FutureTask<T> task = new FutureTask<>(work::run);
        Thread.ofPlatform().daemon().name(name).start(task);
        return await(task);
    }

    private static <T> T await(Future<T> work) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return work.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case Throwable cause -> throw new IllegalStateException(cause);
                case null -> throw new IllegalStateException(e);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Whether it accepts no more work.
    public boolean isClosed() {
        return thread.isShutdown();
    }

    /// Accepts no more work; pending work is still done.
    @Override
    public void close() {
        thread.shutdown();
    }
}
