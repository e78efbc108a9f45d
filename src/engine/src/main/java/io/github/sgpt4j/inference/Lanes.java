package io.github.sgpt4j.inference;

import io.github.sgpt4j.batch.TokenBudget;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.inference.BatchSource.Room;
import io.github.sgpt4j.inference.BatchSource.Taken;
import io.github.sgpt4j.model.Decoder;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/// Distributes batches over copies of one decoder, each on its own device. Borrows the decoders.
///
/// Each device has as many batches in progress as its backend asks for. A GPU gets the next batch while
/// it computes, all from one thread; a CPU computes several side by side, each on its own thread. A
/// single decoder uses the calling thread and as many more as it needs; several decoders use threads of
/// their own. If the system provides fewer threads, the available ones do the work, at least the
/// calling one.
///
/// @param decoders at least one, all with the same weights
/// @param threads creates threads
public record Lanes(List<Decoder> decoders, ThreadFactory threads) {
    public Lanes(List<Decoder> decoders) {
        this(decoders, Thread.ofPlatform().daemon().name("sgpt4j-lane").factory());
    }

    public Lanes {
        decoders = List.copyOf(decoders);
        if (decoders.isEmpty()) {
            throw new IllegalArgumentException("no decoder");
        }
    }

    /// Any decoder, for properties that do not depend on the device.
    public Decoder any() {
        return decoders.getFirst();
    }

    /// Most tokens to compute at the same time on each device, unless the caller asks for another number.
    ///
    /// @param parameters numbers in all weights of the model
    public int usualBatchTokens(long parameters) {
        return decoders.stream()
                .mapToInt(decoder -> decoder.usualBatchTokens(parameters))
                .min()
                .orElseThrow();
    }

    /// How many batches should be under way at the same time on all devices together.
    public int batchesInFlight() {
        return decoders.stream().mapToInt(Decoder::batchesInFlight).sum();
    }

    /// How a call divides at most `tokens` tokens at a time on each device.
    TokenBudget budget(int tokens) {
        int sides = decoders.stream()
                .mapToInt(decoder -> decoder.batchesSideBySide(tokens))
                .min()
                .orElseThrow();
        return new TokenBudget(tokens, sides);
    }

    /// A batch that was started. Closing abandons it; after [#finish], closing does nothing. Used by
    /// one thread.
    interface Started extends AutoCloseable {
        /// Waits for the batch and stores its results.
        void finish();

        @Override
        void close();
    }

    /// One decoder's work during a call.
    interface Lane<B> extends AutoCloseable {
        /// Called by several threads at the same time if batches are computed side by side.
        Started start(B batch);

        @Override
        default void close() {}
    }

    /// Runs all batches, on any of the decoders. The first failure ends the others, and so does an
    /// interrupt of the calling thread: no further batch is started, and no further layer of batches in
    /// progress.
    ///
    /// @param batches used by one thread at a time
    /// @param tokens number of tokens of a batch
    /// @param budget how many batches a device computes side by side, and their maximum of tokens
    ///     together; a larger batch runs alone
    /// @param cancellation of the call, checked before each batch
    <B> void run(
            Iterator<B> batches,
            ToLongFunction<B> tokens,
            TokenBudget budget,
            Cancellation cancellation,
            Function<Decoder, Lane<B>> open) {
        BatchSource<B> source = new BatchSource<>(batches, tokens, cancellation);
        if (decoders.size() == 1) {
            attempt(source, () -> runDecoder(source, any(), budget, cancellation, open));
        } else {
            LaneThreads started = new LaneThreads(threads);
            attempt(source, () -> {
                for (Decoder decoder : decoders) {
                    Runnable share =
                            () -> attempt(source, () -> runDecoder(source, decoder, budget, cancellation, open));
                    if (!started.start(share)) {
                        share.run();
                        break;
                    }
                }
            });
            started.await(cancellation);
        }
        source.throwFailure();
    }

    private static void attempt(BatchSource<?> source, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            source.fail(e);
        }
    }

    /// One decoder's share, on this thread and others.
    private <B> void runDecoder(
            BatchSource<B> source,
            Decoder decoder,
            TokenBudget budget,
            Cancellation cancellation,
            Function<Decoder, Lane<B>> open) {
        Room room = new Room(budget.sides() == 1 ? Long.MAX_VALUE : budget.tokens());
        // A lane is opened only if there is a batch.
        Optional<Taken<B>> first = source.next(room);
        if (first.isEmpty()) {
            return;
        }
        try (Lane<B> lane = open.apply(decoder)) {
            if (budget.sides() == 1) {
                runQueue(source, room, lane, first, decoder.batchesInFlight());
                return;
            }
            LaneThreads beside = new LaneThreads(threads);
            attempt(source, () -> {
                while (beside.count() < budget.sides() - 1 && !source.isEmpty()) {
                    Optional<Taken<B>> batch = source.poll(room);
                    if (!beside.start(() -> attempt(source, () -> runQueue(source, room, lane, batch, 1)))) {
                        // A taken batch must be computed before waiting for more.
                        batch.ifPresent(taken -> run(source, room, lane, taken));
                        break;
                    }
                }
                runQueue(source, room, lane, first, 1);
            });
            beside.await(cancellation);
        }
    }

    /// Runs one batch to its end.
    private static <B> void run(BatchSource<B> source, Room room, Lane<B> lane, Taken<B> batch) {
        try (Started started = lane.start(batch.batch())) {
            started.finish();
        }
        source.done(batch, room);
    }

    private record Running<B>(Taken<B> batch, Started started) {}

    /// Runs batches with at most `maxInProgress` in progress, oldest first, until there are no more.
    ///
    /// @param first a batch that was already taken
    private static <B> void runQueue(
            BatchSource<B> source, Room room, Lane<B> lane, Optional<Taken<B>> first, int maxInProgress) {
        ArrayDeque<Running<B>> inProgress = new ArrayDeque<>();
        try {
            Optional<Taken<B>> batch = first.isPresent() ? first : source.next(room);
            while (batch.isPresent()) {
                inProgress.add(new Running<>(batch.get(), lane.start(batch.get().batch())));
                if (inProgress.size() == maxInProgress) {
                    finishFirst(source, room, inProgress);
                }
                batch = source.next(room);
            }
            while (!inProgress.isEmpty()) {
                finishFirst(source, room, inProgress);
            }
        } finally {
            inProgress.forEach(running -> running.started().close());
        }
    }

    private static <B> void finishFirst(BatchSource<B> source, Room room, ArrayDeque<Running<B>> inProgress) {
        Running<B> oldest = inProgress.removeFirst();
        try (Started started = oldest.started()) {
            started.finish();
        }
        source.done(oldest.batch(), room);
    }
}
