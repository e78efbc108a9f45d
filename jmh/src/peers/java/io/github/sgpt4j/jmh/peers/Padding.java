package io.github.sgpt4j.jmh.peers;

import io.github.sgpt4j.jmh.ModelShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Batches of sequences of similar length, padded on the right with id 0.
final class Padding {
    /// Texts per batch: `-Dpeer.batch`.
    static final int BATCH = Integer.getInteger("peer.batch", 32);

    private static final float HIDDEN_KEY = -1e9f;

    private Padding() {}

    /// Indices of sequences, longest first, in groups of at most [#BATCH].
    static List<int[]> groups(int[][] sequences) {
        Integer[] order = new Integer[sequences.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingInt((Integer i) -> -sequences[i].length));
        List<int[]> groups = new ArrayList<>();
        for (int from = 0; from < order.length; from += BATCH) {
            groups.add(Arrays.stream(order, from, Math.min(order.length, from + BATCH))
                    .mapToInt(Integer::intValue)
                    .toArray());
        }
        return groups;
    }

    /// Ids `[group, longest]`.
    static long[][] padded(int[][] sequences, int[] group) {
        int length = Arrays.stream(group).map(i -> sequences[i].length).max().orElse(0);
        long[][] ids = new long[group.length][length];
        for (int g = 0; g < group.length; g++) {
            int[] sequence = sequences[group[g]];
            for (int t = 0; t < sequence.length; t++) {
                ids[g][t] = sequence[t];
            }
        }
        return ids;
    }

    /// Weights of the position-weighted mean, i / Σ i with i from 1, and 0 for padding: `[group, 1, longest]`,
    /// flat.
    static float[] positionWeights(int[][] sequences, int[] group, int length) {
        float[] weights = new float[group.length * length];
        for (int g = 0; g < group.length; g++) {
            int n = sequences[group[g]].length;
            for (int t = 0; t < n; t++) {
                weights[g * length + t] = (float) (2.0 * (t + 1) / ((double) n * (n + 1)));
            }
        }
        return weights;
    }

    /// The mask added to scores, `[1 or heads, length, length]`: 0 for keys that a query sees (for BLOOM,
    /// ALiBi's slope times the key's position), a large negative number for others. Padding is on the right, so
    /// the causal mask hides it too.
    static float[] mask(ModelShape shape, int length, int window) {
        boolean alibi = shape.family() == ModelShape.Family.BLOOM;
        int heads = alibi ? shape.heads() : 1;
        float[] values = new float[heads * length * length];
        for (int h = 0; h < heads; h++) {
            float slope = alibi ? (float) Math.pow(2, -8.0 * (h + 1) / shape.heads()) : 0;
            for (int i = 0; i < length; i++) {
                for (int j = 0; j < length; j++) {
                    boolean seen = j <= i && (window == 0 || i - j < window);
                    values[(h * length + i) * length + j] = seen ? slope * j : HIDDEN_KEY;
                }
            }
        }
        return values;
    }
}
