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
import org.jspecify.annotations.Nullable;

/// Forms batches of the items of many requests, by tokens.
///
/// Whenever a worker is free it takes what is waiting, up to a number of tokens, and never waits to fill a batch.
/// Requests are served in the order in which they came, but one whose items do not fit into a batch gives way after
/// it: to those that have not begun, at most every second batch, and to others like it. So a small request waits for
/// no more than two batches of large ones, however many of those there are, and they go on, however many small ones
/// come. An item that is larger than a batch is computed alone. Items of requests that were given up are dropped.
///
/// A failure of an item ends its own request only. Safe to share between threads.
public final class BatchQueue implements AutoCloseable {
    private final int maxWorkers;
    private final int batchTokens;
    private final long maxWaitingTokens;
    private final BatchListener listener;
    private final Lock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /// Requests of which no item is in a batch yet.
    private final Deque<Entry<?, ?>> fresh = new ArrayDeque<>();
    /// Requests of which some items are.
    private final Deque<Entry<?, ?>> begun = new ArrayDeque<>();
    /// Whether those that have begun gave way to the others in the last batch.
    private boolean gaveWay;
    private long waitingTokens;
    private int workers;
    private boolean closed;

    /// A request's items.
    private static final class Entry<T, R> {
        private final Operation<T, R> operation;
        private final List<T> items;
        private final Ticket<R> ticket;
        /// Index of the first item that is in no batch yet.
        private int next;

        Entry(Operation<T, R> operation, List<T> items) {
            this.operation = operation;
            this.items = items;
            ticket = new Ticket<>(items.size());
        }

        int nextTokens() {
            return operation.tokens(items.get(next));
        }

        /// Tokens of all items that are in no batch yet.
        long tokensLeft() {
            long tokens = 0;
            for (T item : items.subList(next, items.size())) {
                tokens += operation.tokens(item);
            }
            return tokens;
        }
    }

    /// The part of a batch that belongs to one request.
    ///
    /// @param from index of the first item in the request
    private record Part<T, R>(Entry<T, R> entry, int from, List<T> items) {}

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
            fresh.addLast(entry);
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
            return fresh.size() + begun.size();
        } finally {
            lock.unlock();
        }
    }

    private boolean isWaiting() {
        return !fresh.isEmpty() || !begun.isEmpty();
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
        for (Deque<Entry<?, ?>> waiting : List.of(fresh, begun)) {
            waiting.forEach(entry -> entry.ticket.fail(failure));
            waiting.clear();
        }
        waitingTokens = 0;
    }

    /// Drops requests that were given up, wherever they wait.
    private void dropOver() {
        fresh.removeIf(this::isDropped);
        begun.removeIf(this::isDropped);
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
        Forming batch = new Forming();
        try {
            fill(batch);
            return batch.parts;
        } catch (RuntimeException | Error e) {
            batch.parts.forEach(part -> part.entry().ticket.fail(e));
            throw e;
        }
    }

    private void fill(Forming batch) {
        dropOver();
        boolean freshFirst = !fresh.isEmpty() && (begun.isEmpty() || !gaveWay);
        gaveWay = freshFirst && !begun.isEmpty();
        // Those that begin now have had their share of the batch.
        int before = begun.size();
        if (freshFirst) {
            fill(batch, fresh, fresh.size());
            fill(batch, begun, before);
        } else {
            fill(batch, begun, before);
            fill(batch, fresh, fresh.size());
        }
        if (!batch.parts.isEmpty()) {
            listener.batch(batch.items, batch.tokens);
        }
    }

    /// Takes items of the first requests, as far as they fit.
    ///
    /// @param most requests
    private void fill(Forming batch, Deque<Entry<?, ?>> waiting, int most) {
        for (int i = 0; i < most; i++) {
            Entry<?, ?> entry = waiting.getFirst();
            if (batch.operation != null && !batch.operation.equals(entry.operation)) {
                return;
            }
            int from = entry.next;
            waitingTokens -= batch.add(entry);
            if (entry.next == from) {
                return;
            }
            waiting.removeFirst();
            if (entry.next < entry.items.size()) {
                // The others first.
                begun.addLast(entry);
                return;
            }
        }
    }

    /// A batch that is being formed.
    private final class Forming {
        private final List<Part<?, ?>> parts = new ArrayList<>();
        private @Nullable Operation<?, ?> operation;
        private long tokens;
        private int items;

        /// Adds what fits of a request's next items.
        ///
        /// @return their tokens
        long add(Entry<?, ?> entry) {
            int from = entry.next;
            long before = tokens;
            while (entry.next < entry.items.size() && (tokens == 0 || tokens + entry.nextTokens() <= batchTokens)) {
                tokens += entry.nextTokens();
                entry.next++;
            }
            if (entry.next > from) {
                operation = entry.operation;
                items += entry.next - from;
                parts.add(part(entry, from));
            }
            return tokens - before;
        }
    }

    private static <T, R> Part<T, R> part(Entry<T, R> entry, int from) {
        entry.ticket.begin();
        return new Part<>(entry, from, entry.items.subList(from, entry.next));
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
