package io.github.sgpt4j.server.batching;

import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/// Forms batches of the items of many requests, by tokens.
///
/// Whenever a worker is free it takes what is waiting, up to a number of tokens, and never waits to fill a batch.
/// Of the requests that fit into a batch, the one that came first is served first. Larger ones take turns, a batch
/// each.
/// If both wait, batches begin with the former, except that the latter begin every second one: so a small request waits
/// for no more than two batches of large ones, however many of those there are, and they go on, however many small ones
/// come. What is left of a batch is filled with the other kind. An item that is larger than a batch is computed alone.
/// Items of requests that were given up are dropped.
///
/// A failure of an item ends its own request only. Safe to share between threads.
public final class BatchQueue implements AutoCloseable {
    private final int maxWorkers;
    private final int batchTokens;
    private final long maxWaitingTokens;
    private final BatchListener listener;
    private final Lock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /// Requests that fit into a batch.
    private final Deque<Entry<?, ?>> small = new ArrayDeque<>();
    /// Requests that do not.
    private final Deque<Entry<?, ?>> large = new ArrayDeque<>();
    /// Whether large requests gave way to small ones in the last batch.
    private boolean gaveWay;
    private long waitingTokens;
    private int workers;
    private boolean closed;

    /// @param maxWorkers most batches at a time
    /// @param batchTokens most tokens of a batch, unless a single item has more
    /// @param maxWaitingTokens most tokens that may wait; a request is always taken if none waits
    public BatchQueue(int maxWorkers, int batchTokens, long maxWaitingTokens, BatchListener listener) {
        if (maxWorkers < 1 || batchTokens < 1 || maxWaitingTokens < 1) {
            throw new IllegalArgumentException("workers %d, batch tokens %d, waiting tokens %d: expected at least 1"
                    .formatted(maxWorkers, batchTokens, maxWaitingTokens));
        }
        this.maxWorkers = maxWorkers;
        this.batchTokens = batchTokens;
        this.maxWaitingTokens = maxWaitingTokens;
        this.listener = listener;
    }

    /// Adds a request, as a whole or not at all.
    ///
    /// @throws ApiException if too much is waiting, or this is closed
    public <T, R> Ticket<R> submit(Operation<T, R> operation, List<T> items) {
        Entry<T, R> entry = new Entry<>(operation, List.copyOf(items));
        if (items.isEmpty()) {
            return entry.ticket;
        }
        long tokens = entry.tokensLeft();
        lock.lock();
        try {
            if (closed) {
                throw ending();
            }
            if (waitingTokens + tokens > maxWaitingTokens) {
                dropOver();
            }
            if (isWaiting() && waitingTokens + tokens > maxWaitingTokens) {
                throw new ApiException(
                        Problem.OVERLOADED,
                        "the request has %d tokens and %d are waiting: at most %d may wait"
                                .formatted(tokens, waitingTokens, maxWaitingTokens));
            }
            if (workers < maxWorkers) {
                Thread.ofPlatform().daemon().name("sgpt4j-batches").start(this::work);
                workers++;
            }
            (tokens <= batchTokens ? small : large).addLast(entry);
            waitingTokens += tokens;
            changed.signal();
        } finally {
            lock.unlock();
        }
        return entry.ticket;
    }

    /// Number of requests that wait, entirely or in part.
    public int size() {
        lock.lock();
        try {
            dropOver();
            return small.size() + large.size();
        } finally {
            lock.unlock();
        }
    }

    private boolean isWaiting() {
        return !small.isEmpty() || !large.isEmpty();
    }

    private static ApiException ending() {
        return new ApiException(Problem.UNAVAILABLE, "the server is ending");
    }

    private void work() {
        ApiException reason = ending();
        try {
            List<Part<?, ?>> batch = take();
            while (!batch.isEmpty()) {
                compute(batch);
                batch = take();
            }
        } catch (RuntimeException | Error e) {
            reason = new ApiException(Problem.INTERNAL, "no batch could be formed", e);
            throw e;
        } finally {
            // After an error nobody may wait for ever; the next request starts a new worker.
            lock.lock();
            try {
                workers--;
                if (workers == 0) {
                    drop(reason);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private void drop(RuntimeException failure) {
        for (Deque<Entry<?, ?>> waiting : List.of(small, large)) {
            waiting.forEach(entry -> entry.ticket.fail(failure));
            waiting.clear();
        }
        waitingTokens = 0;
    }

    /// Drops requests that were given up, wherever they wait.
    private void dropOver() {
        small.removeIf(this::isDropped);
        large.removeIf(this::isDropped);
    }

    private boolean isDropped(Entry<?, ?> entry) {
        boolean over = entry.ticket.isOver();
        if (over) {
            waitingTokens -= entry.tokensLeft();
        }
        return over;
    }

    /// The next batch; empty once this is closed.
    private List<Part<?, ?>> take() {
        lock.lock();
        try {
            while (true) {
                List<Part<?, ?>> batch = form();
                if (!batch.isEmpty() && isWaiting()) {
                    // Something for another worker, which the signals of requests may have missed.
                    changed.signal();
                }
                if (!batch.isEmpty() || closed) {
                    return batch;
                }
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private List<Part<?, ?>> form() {
        Forming batch = new Forming(batchTokens);
        try {
            fill(batch);
            return batch.parts();
        } catch (RuntimeException | Error e) {
            batch.parts().forEach(part -> part.entry().ticket.fail(e));
            throw e;
        }
    }

    private void fill(Forming batch) {
        dropOver();
        boolean smallFirst = !small.isEmpty() && (large.isEmpty() || !gaveWay);
        gaveWay = smallFirst && !large.isEmpty();
        fill(batch, smallFirst ? small : large);
        fill(batch, smallFirst ? large : small);
        if (!batch.parts().isEmpty()) {
            listener.batch(batch.items(), batch.tokens());
        }
    }

    /// Takes items of requests, as far as they fit.
    private void fill(Forming batch, Deque<Entry<?, ?>> waiting) {
        for (int left = waiting.size(); left > 0; left--) {
            Entry<?, ?> entry = waiting.getFirst();
            Operation<?, ?> operation = batch.operation();
            if (operation != null && !operation.equals(entry.operation)) {
                return;
            }
            int from = entry.next;
            waitingTokens -= batch.add(entry);
            if (entry.next == entry.items.size()) {
                waiting.removeFirst();
            } else {
                if (entry.next > from && waiting.equals(large)) {
                    // The others first.
                    waiting.addLast(waiting.removeFirst());
                }
                return;
            }
        }
    }

    @SuppressWarnings("unchecked") // All parts have the same operation, so the same types.
    private static <T, R> void compute(List<Part<?, ?>> batch) {
        List<Part<T, R>> parts = new ArrayList<>(batch.size());
        batch.forEach(part -> parts.add((Part<T, R>) part));
        computeParts(parts);
    }

    private static <T, R> void computeParts(List<Part<T, R>> parts) {
        Operation<T, R> operation = parts.getFirst().entry().operation;
        try {
            List<T> items =
                    parts.stream().flatMap(part -> part.items().stream()).toList();
            List<R> results = operation.compute(items);
            if (results.size() != items.size()) {
                throw new AssertionError(
                        "%d results for %d items: expected one for each".formatted(results.size(), items.size()));
            }
            int from = 0;
            for (Part<T, R> part : parts) {
                int to = from + part.items().size();
                part.entry().ticket.deliver(part.from(), results.subList(from, to));
                from = to;
            }
        } catch (RuntimeException | Error e) {
            if (parts.size() == 1) {
                parts.getFirst().entry().ticket.fail(e);
            } else {
                // Only the request that caused the failure should get it.
                parts.forEach(part -> computeParts(List.of(part)));
            }
        }
    }

    /// Stops: what waits fails; the batch at hand is finished.
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            drop(ending());
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
