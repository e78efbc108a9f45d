package io.github.sgpt4j.batch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// An order of sequences in which those with a common prefix are adjacent, otherwise longest first,
/// with the length of the prefix that each shares with its predecessor. In a causal decoder the states
/// of a prefix do not depend on what follows, so a common prompt, bracket or beginning of a question is
/// computed only once.
///
/// Arrays are owned by this object and must not be changed.
public final class PrefixOrder {
    private final List<int[]> sequences;
    private final int worth;
    private final int[] order;
    private final int[] shared;

    private PrefixOrder(List<int[]> sequences, int worth) {
        this.sequences = sequences;
        this.worth = worth;
        order = IntStream.range(0, sequences.size())
                .boxed()
                .sorted(Comparator.comparing(sequences::get, Arrays::compare))
                .mapToInt(Integer::intValue)
                .toArray();
        shared = new int[order.length];
    }

    /// Orders groups of sequences that share their first token by the group's longest sequence, and the
    /// sequences of a group by their token ids: a prefix of another sequence comes before it, and equal
    /// sequences keep their order.
    ///
    /// @param worth minimum number of tokens that sharing a prefix must save, at least 1, since an
    ///     additional segment has a cost
    public static PrefixOrder of(List<int[]> sequences, int worth) {
        PrefixOrder result = new PrefixOrder(sequences, worth);
        result.share(0, sequences.size(), 0);
        result.longestGroupFirst();
        return result;
    }

    /// Index of each sequence, in this order.
    public int[] order() {
        return order;
    }

    /// Number of first tokens that each sequence of this order shares with its predecessor; 0 for the
    /// first.
    public int[] shared() {
        return shared;
    }

    /// Decides for sequences `[from, to)` of the order, which already share their first `depth` tokens.
    private void share(int from, int to, int depth) {
        if (to - from < 2) {
            return;
        }
        int common = common(from, to - 1);
        long saved = (to - from - 1L) * (common - depth);
        int sharing = saved >= worth ? common : depth;
        int groupStart = from;
        for (int i = from + 1; i <= to; i++) {
            if (i == to || !continuesLikePrevious(i, common)) {
                // Subgroups that share more than this prefix, if they continue at all.
                if (sequence(groupStart).length > common) {
                    share(groupStart, i, sharing);
                }
                groupStart = i;
            }
            if (i < to && groupStart == i) {
                shared[i] = sharing;
            }
        }
    }

    private void longestGroupFirst() {
        List<Group> groups = new ArrayList<>();
        for (int from = 0; from < order.length; ) {
            int to = from;
            int longest = 0;
            do {
                longest = Math.max(longest, sequence(to).length);
                to++;
            } while (to < order.length && shared[to] > 0);
            groups.add(new Group(from, to, longest));
            from = to;
        }
        groups.sort(Comparator.comparingInt((Group group) -> -group.longest));
        int[] before = order.clone();
        int[] sharedBefore = shared.clone();
        int at = 0;
        for (Group group : groups) {
            System.arraycopy(before, group.from, order, at, group.to - group.from);
            System.arraycopy(sharedBefore, group.from, shared, at, group.to - group.from);
            at += group.to - group.from;
        }
    }

    /// Sequences `[from, to)`, each of which, except the first, shares tokens with its predecessor.
    private record Group(int from, int to, int longest) {}

    /// Whether a sequence has the same token after its first `common` tokens as its predecessor.
    private boolean continuesLikePrevious(int i, int common) {
        int[] before = sequence(i - 1);
        return before.length > common && before[common] == sequence(i)[common];
    }

    private int common(int first, int last) {
        int mismatch = Arrays.mismatch(sequence(first), sequence(last));
        return mismatch < 0 ? sequence(first).length : mismatch;
    }

    private int[] sequence(int i) {
        return sequences.get(order[i]);
    }
}
