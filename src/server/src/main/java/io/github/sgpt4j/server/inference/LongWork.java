package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// Runs what keeps a processor busy for long on a few threads of the platform: reading large bodies, tokenizing long
/// texts, writing large answers. Requests have virtual threads, which give up their processor only where they wait, so
/// that long work on some of them would keep all others from answering.
///
/// Short work is done at once, by the thread that asks for it. Other work waits for its turn: in the order of its
/// arrival, except that longer work lets shorter work pass that comes within a time in proportion to its length. So no
/// work waits for ever. Safe to share between threads.
public final class LongWork implements AutoCloseable {
    /// Bytes or characters up to which work is short: about a millisecond.
    public static final int SHORT = 1 << 14;
    /// How long work lets shorter work pass, for each byte or character.
    private static final long YIELDING_NANOS = 1_000;
    private static final long IDLE_SECONDS = 10;

    private final ThreadPoolExecutor threads;

    private static final class Task<T> extends FutureTask<T> implements Comparable<Task<?>> {
        private final long turn;

        Task(long turn, Callable<T> work) {
            super(work);
            this.turn = turn;
        }

        @Override
        public int compareTo(Task<?> other) {
            return Long.signum(turn - other.turn);
        }
    }

    /// @param threads most that work at a time
    public LongWork(int threads) {
        this.threads = new ThreadPoolExecutor(
                threads,
                threads,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new PriorityBlockingQueue<>(),
                Thread.ofPlatform().daemon().name("sgpt4j-work-", 0).factory());
        this.threads.allowCoreThreadTimeOut(true);
    }

    /// Does work, and waits for it.
    ///
    /// @param size bytes or characters that it goes over
    /// @throws ApiException if it is not done in time, or this is closed
    public <T> T run(long size, Deadline deadline, Supplier<T> work) {
        return size <= SHORT ? work.get() : await(started(size, work), deadline);
    }

    private <T> Task<T> started(long size, Supplier<T> work) {
        Task<T> task = new Task<>(System.nanoTime() + size * YIELDING_NANOS, work::get);
        try {
            threads.execute(task);
            return task;
        } catch (RejectedExecutionException e) {
            throw ending(e);
        }
    }

    private static <T> T await(Task<T> task, Deadline deadline) {
        try {
            return task.get(deadline.end() - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ending(e);
        } catch (CancellationException e) {
            throw ending(e);
        } catch (TimeoutException e) {
            throw new ApiException(Problem.TIMEOUT, "the texts were not read in time", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException thrown -> throw thrown;
                case Error thrown -> throw thrown;
                case null, default -> throw new IllegalStateException(e);
            }
        } finally {
            // Does nothing to work that is done.
            task.cancel(true);
        }
    }

    private static ApiException ending(Exception cause) {
        return new ApiException(Problem.UNAVAILABLE, "the server is ending", cause);
    }

    /// Interrupts what is done, and does no more.
    @Override
    public void close() {
        threads.shutdownNow().forEach(task -> ((Task<?>) task).cancel(true));
    }
}
