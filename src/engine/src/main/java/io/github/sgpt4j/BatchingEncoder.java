package io.github.sgpt4j;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.SgptException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Combines small calls of many threads, as a server needs: the calls that queue up while one batch is
/// computed make the next batch. A call never waits for others to arrive. Results are those of the
/// encoder; on the CPU they are bit-identical.
///
/// Texts are tokenized by the calling threads. A batch takes calls in queue order, of any kinds, as long
/// as they are within a limit of tokens in total. Safe to share between threads, virtual ones too. The encoder is
/// borrowed.
public final class BatchingEncoder implements AutoCloseable {
    private final BiEncoder encoder;
    private final int batchTokens;
    private final Lock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Call> queue = new ArrayDeque<>();
    private @Nullable Thread worker;
    private boolean closed;

    /// A queued call.
    ///
    /// @param texts for messages
    /// @param tokenized the same texts
    private record Call(List<String> texts, List<TokenizedText> tokenized, CompletableFuture<float[][]> result) {
        long tokens() {
            return tokenized.stream().mapToLong(TokenizedText::tokens).sum();
        }
    }

    /// Computes as many tokens together as the encoder's own limit ([BiEncoder#batchTokens]).
    ///
    /// @param encoder borrowed, to be closed after this
    public BatchingEncoder(BiEncoder encoder) {
        this(encoder, encoder.batchTokens());
    }

    /// @param encoder borrowed, to be closed after this
    /// @param batchTokens the most tokens to compute together; a larger call is computed alone
    /// @throws IllegalArgumentException if `batchTokens` is not positive
    public BatchingEncoder(BiEncoder encoder, int batchTokens) {
        if (batchTokens < 1) {
            throw new IllegalArgumentException("batch tokens: expected at least 1, got " + batchTokens);
        }
        this.encoder = encoder;
        this.batchTokens = batchTokens;
    }

    /// Embeds one text, together with the concurrent calls of other threads.
    ///
    /// @return `[dimension]`
    public float[] embed(String text, TextKind kind) {
        return embed(List.of(text), kind)[0];
    }

    /// Embeds texts, together with the concurrent calls of other threads.
    ///
    /// @return `[texts][dimension]`, in the order of `texts`
    /// @throws io.github.sgpt4j.error.SgptException as [BiEncoder#embed(List, TextKind)]; a failing
    ///     call does not affect others
    /// @throws CancelledException if the calling thread is interrupted; calls of other threads continue
    /// @throws IllegalStateException if this or the encoder is closed, before or during the call
    public float[][] embed(List<String> texts, TextKind kind) {
        List<String> copy = List.copyOf(texts);
        if (Thread.currentThread().isInterrupted()) {
            throw cancelled(copy.size());
        }
        requireOpen();
        Objects.requireNonNull(kind, "kind");
        List<TokenizedText> tokenized =
                copy.stream().map(text -> encoder.tokenized(text, kind)).toList();
        Call call = new Call(copy, tokenized, new CompletableFuture<>());
        lock.lock();
        try {
            requireOpen();
            if (worker == null) {
                worker = Thread.ofPlatform().daemon().name("sgpt4j-batching").start(this::work);
            }
            queue.addLast(call);
            changed.signal();
        } finally {
            lock.unlock();
        }
        return await(call);
    }

    private void requireOpen() {
        lock.lock();
        try {
            if (closed) {
                throw closedFailure();
            }
        } finally {
            lock.unlock();
        }
    }

    private float[][] await(Call call) {
        try {
            return call.result.get();
        } catch (InterruptedException e) {
            // A call still queued is skipped; the result of one being computed is discarded.
            call.result.cancel(false);
            Thread.currentThread().interrupt();
            throw new CancelledException(
                    "embedding of %d texts was cancelled: its thread was interrupted".formatted(call.texts.size()));
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    private static CancelledException cancelled(int texts) {
        return new CancelledException(
                "embedding %d texts was cancelled: the calling thread was interrupted".formatted(texts));
    }

    private static IllegalStateException closedFailure() {
        return new IllegalStateException("batching encoder is closed");
    }

    private void work() {
        try {
            List<Call> batch = next();
            while (!batch.isEmpty()) {
                compute(batch);
                batch = next();
            }
        } finally {
            // After an OutOfMemoryError nobody may wait forever; the next call starts a new worker.
            lock.lock();
            try {
                worker = null;
                queue.forEach(call -> call.result.completeExceptionally(
                        closed ? closedFailure() : new IllegalStateException("the batching thread has ended")));
                queue.clear();
            } finally {
                lock.unlock();
            }
        }
    }

    /// The calls to compute next; empty once this is closed.
    private List<Call> next() {
        List<Call> batch = new ArrayList<>();
        lock.lock();
        try {
            while (batch.isEmpty()) {
                while (queue.isEmpty() && !closed) {
                    changed.awaitUninterruptibly();
                }
                if (closed) {
                    return List.of();
                }
                take(batch);
            }
        } finally {
            lock.unlock();
        }
        return batch;
    }

    private void take(List<Call> batch) {
        long tokens = 0;
        while (!queue.isEmpty()) {
            Call call = queue.getFirst();
            if (!call.result.isDone()) {
                tokens += call.tokens();
                if (!batch.isEmpty() && tokens > batchTokens) {
                    return;
                }
                batch.add(call);
            }
            queue.removeFirst();
        }
    }

    private void compute(List<Call> batch) {
        try {
            List<String> texts =
                    batch.stream().flatMap(call -> call.texts.stream()).toList();
            List<TokenizedText> tokenized =
                    batch.stream().flatMap(call -> call.tokenized.stream()).toList();
            Iterator<Embedding> embeddings = encoder.embedTokenized(tokenized, FiniteResults.Names.ofTexts(texts))
                    .iterator();
            for (Call call : batch) {
                float[][] rows = new float[call.texts.size()][];
                Arrays.setAll(rows, i -> embeddings.next().vector());
                call.result.complete(rows);
            }
        } catch (SgptException e) {
            if (batch.size() == 1) {
                batch.getFirst().result.completeExceptionally(e);
            } else {
                // Only the call that caused the failure should get it.
                batch.forEach(call -> compute(List.of(call)));
            }
        } catch (RuntimeException | Error e) {
            batch.forEach(call -> call.result.completeExceptionally(e));
        }
    }

    /// Stops: queued calls fail with an [IllegalStateException]; calls being computed are finished.
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            queue.forEach(call -> call.result.completeExceptionally(closedFailure()));
            queue.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
