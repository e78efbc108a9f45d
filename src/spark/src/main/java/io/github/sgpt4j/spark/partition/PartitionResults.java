package io.github.sgpt4j.spark.partition;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The results of a partition, in the order of its rows. Rows are read when results are asked for, as
/// many at a time as fill some batches of the engine. The engine is used from the first row with an
/// input until the last result was taken or this is closed, whichever comes first; a partition without
/// inputs opens none. For one thread.
///
/// @param <R> what is made of a row and its result
public final class PartitionResults<R> implements Iterator<R>, AutoCloseable {
    /// Batches of the engine whose rows are read at a time: enough for it to form batches of equal size.
    private static final int BATCHES = 4;

    /// Most rows read at a time.
    private static final int MAX_ROWS = 16_384;

    /// Most characters of inputs read at a time, unless one has more: 64 MB.
    private static final long MAX_CHARACTERS = 32L << 20;

    private final Window<?, ?, ?, ?, R> window;
    private final ArrayDeque<R> ready = new ArrayDeque<>();

    private PartitionResults(Window<?, ?, ?, ?, R> window) {
        this.window = window;
    }

    /// @param input of a row, empty if it has none
    /// @param result of a row and what was computed from its input, if it has one
    /// @param computing what the engine does, as long as it is leased
    static <S, I, T, V, R> PartitionResults<R> of(
            Iterator<? extends S> rows,
            Function<? super S, Optional<I>> input,
            BiFunction<? super S, Optional<V>, ? extends R> result,
            EngineSettings settings,
            Function<Engines.Lease, Computation<I, T, V>> computing) {
        return new PartitionResults<>(new Window<>(rows, input, result, settings, computing));
    }

    /// Reads rows and computes with them.
    private static final class Window<S, I, T, V, R> {
        private final Iterator<? extends S> rows;
        private final Function<? super S, Optional<I>> input;
        private final BiFunction<? super S, Optional<V>, ? extends R> result;
        private final EngineSettings settings;
        private final Function<Engines.Lease, Computation<I, T, V>> computing;
        private Engines.@Nullable Lease lease;
        private @Nullable Computation<I, T, V> computation;
        private TokenCounts counts = TokenCounts.NONE;
        private boolean closed;

        Window(
                Iterator<? extends S> rows,
                Function<? super S, Optional<I>> input,
                BiFunction<? super S, Optional<V>, ? extends R> result,
                EngineSettings settings,
                Function<Engines.Lease, Computation<I, T, V>> computing) {
            this.rows = rows;
            this.input = input;
            this.result = result;
            this.settings = settings;
            this.computing = computing;
        }

        private Computation<I, T, V> computation() {
            if (computation == null) {
                lease = Engines.shared().use(settings);
                computation = computing.apply(lease);
            }
            return computation;
        }

        /// Puts the results of the next rows in place.
        void next(ArrayDeque<R> ready) {
            List<S> read = new ArrayList<>();
            List<Boolean> computed = new ArrayList<>();
            List<T> inputs = new ArrayList<>();
            read(read, computed, inputs);
            Iterator<V> values = inputs.isEmpty()
                    ? List.<V>of().iterator()
                    : computation().compute(inputs).iterator();
            List<R> results = new ArrayList<>();
            for (int i = 0; i < read.size(); i++) {
                Optional<V> value = computed.get(i) ? Optional.of(values.next()) : Optional.empty();
                results.add(result.apply(read.get(i), value));
            }
            ready.addAll(results);
        }

        private void read(List<S> read, List<Boolean> computed, List<T> inputs) {
            long tokens = 0;
            long characters = 0;
            long maxTokens = Long.MAX_VALUE;
            while (tokens < maxTokens
                    && characters < MAX_CHARACTERS
                    && read.size() < MAX_ROWS
                    && !closed
                    && rows.hasNext()) {
                S row = rows.next();
                Optional<I> given = input.apply(row);
                read.add(row);
                computed.add(given.isPresent());
                if (given.isPresent()) {
                    Computation<I, T, V> engine = computation();
                    T tokenized = engine.tokenize(given.get());
                    InputSize size = engine.size(tokenized);
                    inputs.add(tokenized);
                    counts = counts.plus(size.truncated(), size.uncut(), engine.maxLength());
                    tokens += size.tokens();
                    characters += engine.characters(given.get());
                    maxTokens = (long) BATCHES * engine.batchTokens();
                }
            }
        }

        void close() {
            closed = true;
            computation = null;
            if (lease != null) {
                lease.close();
                lease = null;
            }
        }
    }

    @Override
    public boolean hasNext() {
        if (!ready.isEmpty()) {
            return true;
        }
        if (window.closed) {
            return false;
        }
        try {
            window.next(ready);
        } finally {
            // The end, or a failure of any kind: some engines throw what they do not declare.
            if (ready.isEmpty()) {
                close();
            }
        }
        return !ready.isEmpty();
    }

    @Override
    public R next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return ready.remove();
    }

    /// How many inputs were cut so far.
    public TokenCounts counts() {
        return window.counts;
    }

    /// Ends the use of the engine; there are no results afterwards. Closing again does nothing.
    @Override
    public void close() {
        window.close();
        ready.clear();
    }
}
