package io.github.sgpt4j.batch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;

/// A batch of whole sequences: the segments to compute, and the rows that make up each sequence.
///
/// @param packed the batch, without cached tokens
/// @param rows rows of the sequences, in their given order
public record SequenceBatch(PackedBatch packed, SequenceRows rows) {
    /// Sequences that share nothing.
    ///
    /// @throws IllegalArgumentException if there is none or one is empty
    public static SequenceBatch of(Collection<int[]> sequences) {
        return sharing(List.copyOf(sequences), new int[sequences.size()]);
    }

    /// Sequences that may share their first tokens with their predecessor: shared tokens become a
    /// separate segment that the sequences continue. Of equal sequences only one is computed.
    ///
    /// @param sequences all sequences of a [PrefixOrder] in its order, or a contiguous part of them
    /// @param shared number of first tokens that each shares with its predecessor; the first value is
    ///     ignored
    /// @throws IllegalArgumentException if there is no sequence or one is empty
    public static SequenceBatch sharing(List<int[]> sequences, int[] shared) {
        int tokens = 0;
        for (int i = 0; i < shared.length; i++) {
            tokens = Math.addExact(tokens, sequences.get(i).length - (i == 0 ? 0 : shared[i]));
        }
        PackedBatchBuilder builder = new PackedBatchBuilder(tokens);
        int[] ends = new int[sequences.size()];
        Deque<Segment> path = new ArrayDeque<>();
        for (int i = 0; i < ends.length; i++) {
            int start = i == 0 ? 0 : shared[i];
            while (!path.isEmpty() && path.peek().end > start) {
                path.pop();
            }
            for (int cut : cuts(shared, i, start, sequences.get(i).length)) {
                int parent = path.isEmpty() ? PackedBatch.NO_PARENT : path.peek().index;
                int from = path.isEmpty() ? 0 : path.peek().end;
                path.push(new Segment(builder.add(sequences.get(i), from, cut, parent), cut));
            }
            ends[i] = path.isEmpty() ? 0 : path.peek().index;
        }
        PackedBatch packed = builder.build();
        return new SequenceBatch(packed, SequenceRows.of(packed, ends));
    }

    /// @param end tokens of the segment and its ancestors
    private record Segment(int index, int end) {}

    /// Where the tokens of sequence `i` after `start` are cut into segments: where a later sequence
    /// diverges, and at the end.
    private static List<Integer> cuts(int[] shared, int i, int start, int length) {
        List<Integer> cuts = new ArrayList<>();
        if (length == 0) {
            throw new IllegalArgumentException("sequence %d is empty".formatted(i));
        }
        int common = length;
        for (int later = i + 1; common > start; later++) {
            if (cuts.isEmpty() || cuts.getLast() > common) {
                cuts.add(common);
            }
            common = later < shared.length ? Math.min(common, shared[later]) : start;
        }
        return cuts.reversed();
    }
}
