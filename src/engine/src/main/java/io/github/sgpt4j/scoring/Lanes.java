package io.github.sgpt4j.scoring;

import io.github.sgpt4j.model.Decoder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Shares batches out to the copies of one decoder, each on a device of its own. Borrows the decoders.
///
/// Each device has as many batches under way as its backend asks for, so that the next is made ready while one is
/// computed. One decoder works on the calling thread, several on a thread each.
///
/// @param decoders at least one, all with the same weights
public record Lanes(List<Decoder> decoders) {
    public Lanes {
        decoders = List.copyOf(decoders);
        if (decoders.isEmpty()) {
            throw new IllegalArgumentException("no decoder");
        }
    }

    /// For what does not depend on the device.
    public Decoder any() {
        return decoders.getFirst();
    }

    /// A batch that was started. Closing gives up on it; after [#finish] it does nothing.
    interface Started extends AutoCloseable {
        /// Waits for the batch and keeps its results.
        void finish();

        @Override
        void close();
    }

    /// One decoder's work during a call.
    interface Lane<B> extends AutoCloseable {
        Started start(B batch);

        @Override
        default void close() {}
    }

    /// Runs all batches; which decoder takes which is open. The first failure ends the others.
    ///
    /// @param batches used by one thread at a time
    <B> void run(Iterator<B> batches, Function<Decoder, Lane<B>> open) {
        Source<B> source = new Source<>(batches);
        if (decoders.size() == 1) {
            runLane(source, any(), open);
            return;
        }
        List<Thread> threads = new ArrayList<>();
        for (Decoder decoder : decoders) {
            threads.add(Thread.ofPlatform()
                    .daemon()
                    .name("sgpt4j-lane-" + threads.size())
                    .start(() -> {
                        try {
                            runLane(source, decoder, open);
                        } catch (RuntimeException | Error e) {
                            source.fail(e);
                        }
                    }));
        }
        join(threads, source);
        source.throwFailure();
    }

    private static void join(List<Thread> threads, Source<?> source) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    source.stop();
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static <B> void runLane(Source<B> source, Decoder decoder, Function<Decoder, Lane<B>> open) {
        ArrayDeque<Started> underWay = new ArrayDeque<>();
        int most = decoder.batchesInFlight();
        // A lane without a batch is not opened.
        Optional<B> first = source.next();
        if (first.isEmpty()) {
            return;
        }
        try (Lane<B> lane = open.apply(decoder)) {
            try {
                for (Optional<B> batch = first; batch.isPresent(); batch = source.next()) {
                    underWay.add(lane.start(batch.get()));
                    if (underWay.size() == most) {
                        finishFirst(underWay);
                    }
                }
                while (!underWay.isEmpty()) {
                    finishFirst(underWay);
                }
            } finally {
                underWay.forEach(Started::close);
            }
        }
    }

    private static void finishFirst(ArrayDeque<Started> underWay) {
        try (Started oldest = underWay.removeFirst()) {
            oldest.finish();
        }
    }

    /// Batches for several threads, until one fails.
    private static final class Source<B> {
        private final Iterator<B> batches;
        private boolean stopped;
        private Optional<Throwable> failure = Optional.empty();

        Source(Iterator<B> batches) {
            this.batches = batches;
        }

        synchronized Optional<B> next() {
            return stopped || !batches.hasNext() ? Optional.empty() : Optional.of(batches.next());
        }

        synchronized void stop() {
            stopped = true;
        }

        synchronized void fail(Throwable thrown) {
            stopped = true;
            if (failure.isEmpty()) {
                failure = Optional.of(thrown);
            } else {
                failure.get().addSuppressed(thrown);
            }
        }

        synchronized void throwFailure() {
            if (failure.isPresent()) {
                switch (failure.get()) {
                    case RuntimeException e -> throw e;
                    case Error e -> throw e;
                    case Throwable e -> throw new IllegalStateException(e);
                }
            }
        }
    }
}
