package io.github.sgpt4j.server.batching;

import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A request's items in a [BatchQueue], and their results as they come. Used by one thread besides the queue's.
///
/// @param <R> result of an item
public final class Ticket<R> {
    private final Lock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<@Nullable R> results;
    private final int size;
    /// Number of results that are there, in whatever order they came.
    private int done;
    private @Nullable Throwable failure;
    private boolean cancelled;
    private final long submitted = System.nanoTime();
    private long started;
    private long finished;

    Ticket(int size) {
        this.size = size;
        results = new ArrayList<>(Collections.nCopies(size, null));
    }

    /// Gives results, each once.
    ///
    /// @param from index of the first one's item
    void deliver(int from, List<R> more) {
        lock.lock();
        try {
            for (int i = 0; i < more.size(); i++) {
                results.set(from + i, more.get(i));
            }
            done += more.size();
            if (done == size) {
                finished = System.nanoTime();
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Ends it; the first failure counts.
    void fail(Throwable thrown) {
        lock.lock();
        try {
            if (failure != null) {
                return;
            }
            failure = thrown;
            finished = System.nanoTime();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void begin() {
        lock.lock();
        try {
            if (started == 0) {
                started = System.nanoTime();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Whether nothing of it needs to be computed any more.
    boolean isOver() {
        lock.lock();
        try {
            return cancelled || failure != null;
        } finally {
            lock.unlock();
        }
    }

    /// Gives up what is not computed yet.
    public void cancel() {
        lock.lock();
        try {
            cancelled = true;
        } finally {
            lock.unlock();
        }
    }

    /// Waits for all results, in the order of the items. If they do not come in time, the rest is given up.
    ///
    /// @param deadline as of [System#nanoTime]
    /// @throws ApiException if they do not come in time
    /// @throws io.github.sgpt4j.error.SgptException if an item cannot be computed
    /// @throws InterruptedException if this thread is interrupted; the rest is given up
    public List<R> await(long deadline) throws InterruptedException {
        lock.lock();
        try {
            while (done < size && failure == null) {
                awaitChange(deadline);
            }
            throwFailure();
            return results.stream().map(Objects::requireNonNull).toList();
        } catch (TimeoutException e) {
            throw new ApiException(Problem.TIMEOUT, "%d of %d inputs were computed in time".formatted(done, size), e);
        } finally {
            if (done < size) {
                cancelled = true;
            }
            lock.unlock();
        }
    }

    private void awaitChange(long deadline) throws InterruptedException, TimeoutException {
        long left = deadline - System.nanoTime();
        if (left <= 0 || !changed.await(left, TimeUnit.NANOSECONDS) && deadline - System.nanoTime() <= 0) {
            throw new TimeoutException();
        }
    }

    private void throwFailure() {
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    /// Seconds between submission and the first batch; until now if there was none.
    public double queueSeconds() {
        lock.lock();
        try {
            return ((started == 0 ? System.nanoTime() : started) - submitted) / 1e9;
        } finally {
            lock.unlock();
        }
    }

    /// Seconds from the first batch to the last result; until now if there is more to come.
    public double inferenceSeconds() {
        lock.lock();
        try {
            return started == 0 ? 0 : ((finished == 0 ? System.nanoTime() : finished) - started) / 1e9;
        } finally {
            lock.unlock();
        }
    }
}
