package io.github.sgpt4j.batch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Groups sequences into batches of a bounded number of tokens, longest first: sequences of one batch are of similar
/// length, and the largest memory is needed at the start.
public final class TokenBudget {
    private TokenBudget() {}

    /// @param lengths tokens of each sequence, each at least 1
    /// @param budget most tokens of a batch; a longer sequence has a batch of its own
    /// @return indices of the sequences of each batch; every index occurs once
    public static List<int[]> plan(int[] lengths, int budget) {
        if (budget < 1) {
            throw new IllegalArgumentException("token budget " + budget);
        }
        int[] order = IntStream.range(0, lengths.length)
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -lengths[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        List<int[]> batches = new ArrayList<>();
        int start = 0;
        long tokens = 0;
        for (int i = 0; i < order.length; i++) {
            int length = lengths[order[i]];
            if (i > start && tokens + length > budget) {
                batches.add(Arrays.copyOfRange(order, start, i));
                start = i;
                tokens = 0;
            }
            tokens += length;
        }
        if (start < order.length) {
            batches.add(Arrays.copyOfRange(order, start, order.length));
        }
        return batches;
    }
}
