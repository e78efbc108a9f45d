package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.batch.PackedBatch;

/// The gradient of [ReferenceAttention] over independent sequences, one query at a time, with the
/// probabilities of all keys.
final class ReferenceAttentionGradient {
    private final double[][] qkv;
    private final double[][] dOut;
    private final PackedBatch batch;
    private final AttentionParameters parameters;
    private final double[][] dQkv;

    ReferenceAttentionGradient(double[][] qkv, double[][] dOut, PackedBatch batch, AttentionParameters parameters) {
        this.qkv = qkv;
        this.dOut = dOut;
        this.batch = batch;
        this.parameters = parameters;
        this.dQkv = new double[qkv.length][parameters.qkvColumns()];
    }

    /// `[tokens, (heads + 2 · kvHeads) · headDim]`.
    double[][] compute() {
        for (int segment = 0; segment < batch.segments(); segment++) {
            for (int query = 0; query < batch.length(segment); query++) {
                for (int head = 0; head < parameters.heads(); head++) {
                    query(batch.start(segment), query, head);
                }
            }
        }
        return dQkv;
    }

    /// @param start first row of the sequence
    /// @param i position of the query
    private void query(int start, int i, int head) {
        int d = parameters.headDim();
        int kvHead = head / (parameters.heads() / parameters.kvHeads());
        int queryColumn = head * d;
        int keyColumn = (parameters.heads() + kvHead) * d;
        int valueColumn = (parameters.heads() + parameters.kvHeads() + kvHead) * d;
        int first = parameters.window() == 0 ? 0 : Math.max(0, i - parameters.window() + 1);
        double[] query = qkv[start + i];
        double[] dAttended = dOut[start + i];
        double slope = parameters.slopes().length == 0 ? 0 : parameters.slopes()[head];
        double[] scores = new double[i + 1 - first];
        double[] dProbabilities = new double[scores.length];
        for (int k = 0; k < scores.length; k++) {
            double[] key = qkv[start + first + k];
            scores[k] = parameters.scale() * dot(query, queryColumn, key, keyColumn, d) + slope * (first + k - i);
            dProbabilities[k] = dot(dAttended, queryColumn, key, valueColumn, d);
        }
        double[] probabilities = ReferenceAttention.softmax(scores);
        double mean = dot(probabilities, 0, dProbabilities, 0, scores.length);
        for (int k = 0; k < scores.length; k++) {
            double dDot = parameters.scale() * probabilities[k] * (dProbabilities[k] - mean);
            int row = start + first + k;
            for (int c = 0; c < d; c++) {
                dQkv[start + i][queryColumn + c] += dDot * qkv[row][keyColumn + c];
                dQkv[row][keyColumn + c] += dDot * query[queryColumn + c];
                dQkv[row][valueColumn + c] += probabilities[k] * dAttended[queryColumn + c];
            }
        }
    }

    private static double dot(double[] a, int from, double[] b, int at, int count) {
        double sum = 0;
        for (int c = 0; c < count; c++) {
            sum += a[from + c] * b[at + c];
        }
        return sum;
    }
}
