package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Attention with an explicit `[queries, keys]` matrix.
final class ReferenceAttention {
    private final double[][] qkv;
    private final PackedBatch batch;
    private final AttentionParameters parameters;

    /// @param qkv one array per row of the batch, cached rows included
    ReferenceAttention(double[][] qkv, PackedBatch batch, AttentionParameters parameters) {
        this.qkv = qkv;
        this.batch = batch;
        this.parameters = parameters;
    }

    /// `[tokens, heads · headDim]`.
    double[][] compute() {
        double[][] out = new double[batch.tokens()][parameters.heads() * parameters.headDim()];
        for (int segment = batch.firstSegment(); segment < batch.segments(); segment++) {
            for (int head = 0; head < parameters.heads(); head++) {
                segmentHead(segment, head, out);
            }
        }
        return out;
    }

    private void segmentHead(int segment, int head, double[][] out) {
        int[] sequence = sequenceRows(segment);
        int length = batch.length(segment);
        int depth = sequence.length - length;
        int d = parameters.headDim();
        int kvHead = head / (parameters.heads() / parameters.kvHeads());
        int keyColumn = (parameters.heads() + kvHead) * d;
        int valueColumn = (parameters.heads() + parameters.kvHeads() + kvHead) * d;
        for (int q = 0; q < length; q++) {
            int i = depth + q;
            double[] scores = new double[sequence.length];
            Arrays.fill(scores, Double.NEGATIVE_INFINITY);
            for (int j = 0; j < sequence.length; j++) {
                if (visible(i, j)) {
                    scores[j] = score(qkv[sequence[i]], qkv[sequence[j]], head, keyColumn, i, j);
                }
            }
            double[] probabilities = softmax(scores);
            double[] row = out[sequence[i] - batch.cachedTokens()];
            for (int j = 0; j < sequence.length; j++) {
                for (int c = 0; c < d && visible(i, j); c++) {
                    row[head * d + c] += probabilities[j] * qkv[sequence[j]][valueColumn + c];
                }
            }
        }
    }

    /// Rows of the whole sequence that ends with a segment: its ancestors', eldest first, then its own.
    private int[] sequenceRows(int segment) {
        List<Integer> chain = new ArrayList<>();
        for (int s = segment; s != PackedBatch.NO_PARENT; s = batch.parents()[s]) {
            chain.addFirst(s);
        }
        List<Integer> rows = new ArrayList<>();
        for (int s : chain) {
            for (int row = batch.start(s); row < batch.start(s) + batch.length(s); row++) {
                rows.add(row);
            }
        }
        return rows.stream().mapToInt(Integer::intValue).toArray();
    }

    private boolean visible(int i, int j) {
        return (j <= i || parameters.bidirectional())
                && (parameters.window() == 0 || Math.abs(i - j) < parameters.window());
    }

    private double score(double[] query, double[] key, int head, int keyColumn, int i, int j) {
        int d = parameters.headDim();
        double dot = 0;
        for (int c = 0; c < d; c++) {
            dot += query[head * d + c] * key[keyColumn + c];
        }
        double slope = parameters.slopes().length == 0 ? 0 : parameters.slopes()[head];
        return Functions.cap(parameters.scale() * dot, parameters.softcap()) + slope * (j - i);
    }

    static double[] softmax(double[] scores) {
        double max = Arrays.stream(scores).max().orElseThrow();
        double[] weights = Arrays.stream(scores).map(s -> Math.exp(s - max)).toArray();
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(w -> w / sum).toArray();
    }
}
