package io.github.sgpt4j.batch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Groups sequences into batches of a bounded number of tokens.
///
/// Batches that are computed side by side share the budget. The work is cut into batches of about equal
/// size, the same number for each side, so that all sides have about the same amount of work.
///
/// @param tokens maximum tokens computed at the same time
/// @param sides number of batches computed side by side, at least 1
public record TokenBudget(int tokens, int sides) {
    /// Batches are not made smaller than about this many tokens to balance the sides: reading the
    /// weights would cost more than balance gains.
    private static final int MIN_TOKENS = 128;

    public TokenBudget {
        if (tokens < 1 || sides < 1) {
            throw new IllegalArgumentException("token budget %d for %d batches".formatted(tokens, sides));
        }
    }

    /// For one batch at a time.
    public TokenBudget(int tokens) {
        this(tokens, 1);
    }

    /// Maximum tokens of a batch of several sequences.
    public int batchTokens() {
        return Math.max(1, tokens / sides);
    }

    /// @param lengths tokens of each sequence, each at least 1
    /// @return indices of the sequences of each batch, longest first; every index occurs once; a sequence of more
    ///     than [#batchTokens] has a batch of its own
    public List<int[]> plan(int[] lengths) {
        int[] order = IntStream.range(0, lengths.length)
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -lengths[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        int[] sorted = Arrays.stream(order).map(i -> lengths[i]).toArray();
        List<int[]> batches = new ArrayList<>();
        int from = 0;
        for (int to : cut(sorted, new int[sorted.length])) {
            batches.add(Arrays.copyOfRange(order, from, to));
            from = to;
        }
        return batches;
    }

    /// Cuts sequences into batches in their order.
    ///
    /// @param lengths tokens of each sequence, each at least 1
    /// @param shared first tokens of each that need not be computed if it is in the same batch as its
    ///     predecessor
    /// @return index after the last sequence of each batch; a sequence of more than [#batchTokens] has a batch
    ///     of its own
    public List<Integer> cut(int[] lengths, int[] shared) {
        long left = 0;
        for (int i = 0; i < lengths.length; i++) {
            left += lengths[i] - shared[i];
        }
        long batchesLeft = batches(left);
        List<Integer> ends = new ArrayList<>();
        for (int i = 0; i < lengths.length; ) {
            long share = batchesLeft < 1 ? batchTokens() : Math.max(MIN_TOKENS, (left + batchesLeft - 1) / batchesLeft);
            long filled = lengths[i];
            left -= lengths[i] - shared[i];
            i++;
            while (i < lengths.length && fits(filled, lengths[i] - shared[i], share)) {
                filled += lengths[i] - shared[i];
                left -= lengths[i] - shared[i];
                i++;
            }
            ends.add(i);
            batchesLeft--;
        }
        return ends;
    }

    /// Number of batches for `total` tokens: the same number for each side, unless there are too few
    /// tokens.
    private long batches(long total) {
        long atOnce = (long) batchTokens() * sides;
        long rounds = (total + atOnce - 1) / atOnce;
        return Math.min(rounds * sides, Math.max(1, total / MIN_TOKENS));
    }

    /// Whether a sequence still fits a batch of about `share` tokens.
    private boolean fits(long filled, int length, long share) {
        return filled + length <= batchTokens() && (sides == 1 || filled + length / 2 <= share);
    }
}
