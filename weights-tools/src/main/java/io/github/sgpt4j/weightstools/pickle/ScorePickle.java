package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.BitSet;

/// Reads a pickled dictionary of dictionaries of floating-point numbers, `{query: {passage: score}}`,
/// one inner dictionary at a time (protocols 2 to 5), so that memory depends on the longest of them
/// only. Nothing else is accepted, neither names nor references to earlier values: no code can run.
///
/// Python writes a dictionary as an empty one, followed by its entries, one with `SETITEM` or up to 1,000
/// between `MARK` and `SETITEMS`. An inner dictionary is complete when something follows that does not
/// belong to it.
public final class ScorePickle {
    private static final int NEWEST_PROTOCOL = 5;
    private static final int MAX_SCORES = 1 << 20;

    private final PickleStream in;
    private final Sink sink;
    private final BitSet queries = new BitSet();
    private State state = State.START;

    /// Whether the outer dictionary's entries stand behind a mark.
    private boolean marked;

    private int query;
    private int passage;
    private int[] passages = new int[1024];
    private double[] scores = new double[1024];
    private int count;

    /// Receives inner dictionaries.
    @FunctionalInterface
    public interface Sink {
        /// Called for each, in the order of the file.
        ///
        /// @param query its key
        /// @param passages keys of its entries, `count` of them; borrowed
        /// @param scores their values; borrowed
        void accept(int query, int[] passages, double[] scores, int count) throws IOException;
    }

    private enum State {
        START("a dictionary of dictionaries"),
        OUTER("a query or the end"),
        OUTER_KEY("a query"),
        OUTER_VALUE("a dictionary of scores"),
        INNER("a passage, a query or the end of the dictionary"),
        INNER_NUMBER("a score or a dictionary of scores"),
        INNER_SET("the end of an entry"),
        INNER_KEY("a passage or the end of the entries"),
        INNER_VALUE("a score"),
        DONE("the end");

        private final String expected;

        State(String expected) {
            this.expected = expected;
        }
    }

    private ScorePickle(PickleStream in, Sink sink) {
        this.in = in;
        this.sink = sink;
    }

    /// Reads a pickle to its end.
    ///
    /// @param in borrowed
    /// @param name of the file, for messages
    /// @throws FormatException at the first problem
    /// @throws IOException if reading fails, or the sink
    public static void read(InputStream in, String name, Sink sink) throws IOException {
        ScorePickle pickle = new ScorePickle(new PickleStream(in, name), sink);
        while (pickle.state != State.DONE) {
            pickle.in.mark();
            pickle.step(pickle.in.u8());
        }
        pickle.in.mark();
        if (!pickle.in.atEnd()) {
            throw pickle.in.bad("expected the end of the file after the pickle, got more");
        }
    }

    private void step(int code) throws IOException {
        switch (code) {
            case Opcode.PROTO -> protocol(in.u8());
            case Opcode.FRAME -> in.littleEndian(Long.BYTES);
            // What is remembered is never recalled.
            case Opcode.MEMOIZE -> {}
            case Opcode.BINPUT -> in.u8();
            case Opcode.LONG_BINPUT -> in.littleEndian(Integer.BYTES);
            case Opcode.BININT1 -> whole(in.u8());
            case Opcode.BININT2 -> whole((int) in.littleEndian(Short.BYTES));
            case Opcode.BININT -> whole((int) in.littleEndian(Integer.BYTES));
            case Opcode.BINFLOAT -> score(in.bigEndianDouble());
            case Opcode.EMPTY_DICT -> dictionary();
            case Opcode.MARK -> mark();
            case Opcode.SETITEM -> setItem();
            case Opcode.SETITEMS -> setItems();
            case Opcode.STOP -> stop();
            case Opcode.GLOBAL -> throw refused(Quoted.of(in.line() + "." + in.line()));
            default -> throw refused("opcode 0x%02x".formatted(code));
        }
    }

    private void protocol(int version) {
        if (state != State.START || version > NEWEST_PROTOCOL) {
            throw in.bad(
                    "expected pickle protocol %d or lower at the start, got %d".formatted(NEWEST_PROTOCOL, version));
        }
    }

    private FormatException refused(String got) {
        return in.bad("expected %s, in whole and floating-point numbers only, got %s".formatted(state.expected, got));
    }

    private FormatException unexpected(String got) {
        return in.bad("expected %s, got %s".formatted(state.expected, got));
    }

    private void whole(int value) {
        if (value < 0) {
            throw in.bad("expected an id of at least 0, got %d".formatted(value));
        }
        switch (state) {
            case OUTER, OUTER_KEY -> {
                query = value;
                state = State.OUTER_VALUE;
            }
            case INNER -> {
                passage = value;
                state = State.INNER_NUMBER;
            }
            case INNER_KEY -> {
                passage = value;
                state = State.INNER_VALUE;
            }
            case START, OUTER_VALUE, INNER_NUMBER, INNER_SET, INNER_VALUE, DONE -> throw unexpected("an integer");
        }
    }

    private void score(double value) {
        if (!Double.isFinite(value)) {
            throw in.bad("expected a finite score, got " + value);
        }
        switch (state) {
            case INNER_NUMBER -> state = State.INNER_SET;
            case INNER_VALUE -> state = State.INNER_KEY;
            case START, OUTER, OUTER_KEY, OUTER_VALUE, INNER, INNER_SET, INNER_KEY, DONE ->
                throw unexpected("a floating-point number");
        }
        if (count == MAX_SCORES) {
            throw in.bad("expected at most %d scores of a query, got more".formatted(MAX_SCORES));
        }
        if (count == passages.length) {
            passages = Arrays.copyOf(passages, 2 * count);
            scores = Arrays.copyOf(scores, 2 * count);
        }
        passages[count] = passage;
        scores[count++] = value;
    }

    private void dictionary() throws IOException {
        switch (state) {
            case START -> state = State.OUTER;
            case OUTER_VALUE -> begin();
            case INNER_NUMBER -> {
                // The number was not the passage of an entry but the next query.
                if (!marked) {
                    throw in.bad("expected the end of an entry, got another dictionary");
                }
                int next = passage;
                complete();
                query = next;
                begin();
            }
            case OUTER, OUTER_KEY, INNER, INNER_SET, INNER_KEY, INNER_VALUE, DONE -> throw unexpected("a dictionary");
        }
    }

    private void begin() {
        if (queries.get(query)) {
            throw in.bad("expected query %d once, got it twice".formatted(query));
        }
        queries.set(query);
        count = 0;
        state = State.INNER;
    }

    private void mark() {
        switch (state) {
            case OUTER -> {
                marked = true;
                state = State.OUTER_KEY;
            }
            case INNER -> state = State.INNER_KEY;
            case START, OUTER_KEY, OUTER_VALUE, INNER_NUMBER, INNER_SET, INNER_KEY, INNER_VALUE, DONE ->
                throw unexpected("a mark");
        }
    }

    private void setItem() throws IOException {
        if (state == State.INNER_SET) {
            state = State.INNER;
        } else if (state == State.INNER && !marked) {
            complete();
            state = State.OUTER;
        } else {
            throw unexpected("the end of an entry");
        }
    }

    private void setItems() throws IOException {
        if (state == State.INNER_KEY) {
            state = State.INNER;
        } else if (state == State.INNER && marked) {
            complete();
            marked = false;
            state = State.OUTER;
        } else if (state == State.OUTER_KEY) {
            marked = false;
            state = State.OUTER;
        } else {
            throw unexpected("the end of entries");
        }
    }

    private void stop() {
        if (state != State.OUTER) {
            throw unexpected("the end");
        }
        state = State.DONE;
    }

    private void complete() throws IOException {
        int[] sorted = Arrays.copyOf(passages, count);
        Arrays.sort(sorted);
        for (int i = 1; i < count; i++) {
            if (sorted[i] == sorted[i - 1]) {
                throw in.bad("expected passage %d of query %d once, got it twice".formatted(sorted[i], query));
            }
        }
        sink.accept(query, passages, scores, count);
    }
}
