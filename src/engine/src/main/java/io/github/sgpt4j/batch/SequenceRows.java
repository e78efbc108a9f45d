package io.github.sgpt4j.batch;

import java.util.Arrays;
import java.util.stream.IntStream;

/// The rows of a tensor that hold the hidden states of whole sequences, sequence after sequence.
///
/// Arrays are owned by this object and must not be changed.
public final class SequenceRows {
    private final int[] rows;
    private final int[] starts;

    private SequenceRows(int[] rows, int[] starts) {
        this.rows = rows;
        this.starts = starts;
    }

    /// The sequences of a batch that end with the given segments: the rows of each segment's ancestors, then its own.
    ///
    /// @throws IllegalArgumentException if there is no segment, or the batch has cached tokens, which have no rows
    public static SequenceRows of(PackedBatch batch, int... ends) {
        if (batch.cachedTokens() > 0 || ends.length == 0) {
            throw new IllegalArgumentException("%d sequences of %s".formatted(ends.length, batch));
        }
        int[] starts = new int[ends.length + 1];
        for (int i = 0; i < ends.length; i++) {
            starts[i + 1] = Math.addExact(starts[i], batch.depth(ends[i]) + batch.length(ends[i]));
        }
        int[] rows = new int[starts[ends.length]];
        for (int i = 0; i < ends.length; i++) {
            int to = starts[i + 1];
            for (int s = ends[i]; s != PackedBatch.NO_PARENT; s = batch.parents()[s]) {
                for (int row = batch.start(s + 1) - 1; row >= batch.start(s); row--) {
                    rows[--to] = row;
                }
            }
        }
        return new SequenceRows(rows, starts);
    }

    /// The last token of each sequence.
    public SequenceRows lastTokens() {
        int[] last = new int[count()];
        Arrays.setAll(last, i -> rows[starts[i + 1] - 1]);
        return new SequenceRows(last, IntStream.rangeClosed(0, last.length).toArray());
    }

    /// The same sequences with their tokens in other rows.
    ///
    /// @param newRows row of each token, as [#rows]
    public SequenceRows at(int[] newRows) {
        if (newRows.length != rows.length) {
            throw new IllegalArgumentException("%d rows for %d tokens".formatted(newRows.length, rows.length));
        }
        return new SequenceRows(newRows, starts);
    }

    /// Row of each token, sequence after sequence; rows may repeat.
    public int[] rows() {
        return rows;
    }

    /// Index in [#rows] of each sequence's first token, `[sequences + 1]`: first 0, last `rows.length`.
    public int[] starts() {
        return starts;
    }

    public int count() {
        return starts.length - 1;
    }

    /// Tokens of a sequence.
    public int length(int sequence) {
        return starts[sequence + 1] - starts[sequence];
    }

    /// Tokens of the longest sequence.
    public int longest() {
        int longest = 0;
        for (int i = 0; i < count(); i++) {
            longest = Math.max(longest, length(i));
        }
        return longest;
    }
}
