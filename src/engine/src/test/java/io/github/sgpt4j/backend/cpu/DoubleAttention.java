package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.batch.PackedBatch;

/// Causal attention of whole sequences and its gradient, in 64 bits, straight from the formulas.
final class DoubleAttention {
    private final PackedBatch batch;
    private final AttentionParameters parameters;
    private final float[] qkv;

    DoubleAttention(PackedBatch batch, AttentionParameters parameters, float[] qkv) {
        this.batch = batch;
        this.parameters = parameters;
        this.qkv = qkv;
    }

    /// `[tokens, heads · headDim]`.
    double[] out() {
        double[] out = new double[batch.tokens() * outColumns()];
        forEachQuery((head, first, row, weights) -> {
            for (int j = first; j <= row; j++) {
                for (int d = 0; d < dim(); d++) {
                    out[outAt(row, head) + d] += weights[j - first] * qkv[value(j, head) + d];
                }
            }
        });
        return out;
    }

    /// The gradient of `qkv`, of its shape.
    double[] gradient(float[] outGradient) {
        double[] gradient = new double[qkv.length];
        forEachQuery((head, first, row, weights) -> {
            double[] weightGradients = new double[weights.length];
            double mean = 0;
            for (int j = first; j <= row; j++) {
                for (int d = 0; d < dim(); d++) {
                    double of = outGradient[outAt(row, head) + d];
                    weightGradients[j - first] += of * qkv[value(j, head) + d];
                    gradient[value(j, head) + d] += weights[j - first] * of;
                }
                mean += weights[j - first] * weightGradients[j - first];
            }
            for (int j = first; j <= row; j++) {
                double score = parameters.scale() * weights[j - first] * (weightGradients[j - first] - mean);
                for (int d = 0; d < dim(); d++) {
                    gradient[query(row, head) + d] += score * qkv[key(j, head) + d];
                    gradient[key(j, head) + d] += score * qkv[query(row, head) + d];
                }
            }
        });
        return gradient;
    }

    @FunctionalInterface
    private interface Query {
        /// @param first row of the first key that is seen
        /// @param weights of keys `[first, row]`
        void accept(int head, int first, int row, double[] weights);
    }

    private void forEachQuery(Query query) {
        for (int segment = 0; segment < batch.segments(); segment++) {
            for (int head = 0; head < parameters.heads(); head++) {
                for (int row = batch.start(segment); row < batch.start(segment + 1); row++) {
                    int reach = parameters.window() == 0 ? Integer.MAX_VALUE : parameters.window();
                    int first = Math.max(batch.start(segment), row - reach + 1);
                    query.accept(head, first, row, weights(head, first, row));
                }
            }
        }
    }

    private double[] weights(int head, int first, int row) {
        double[] weights = new double[row - first + 1];
        double maximum = Double.NEGATIVE_INFINITY;
        for (int j = first; j <= row; j++) {
            double product = 0;
            for (int d = 0; d < dim(); d++) {
                product += (double) qkv[query(row, head) + d] * qkv[key(j, head) + d];
            }
            double slope = parameters.slopes().length == 0 ? 0 : parameters.slopes()[head];
            weights[j - first] = parameters.scale() * product + slope * (j - row);
            maximum = Math.max(maximum, weights[j - first]);
        }
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp(weights[i] - maximum);
            sum += weights[i];
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= sum;
        }
        return weights;
    }

    private int dim() {
        return parameters.headDim();
    }

    private int outColumns() {
        return parameters.heads() * dim();
    }

    private int outAt(int row, int head) {
        return row * outColumns() + head * dim();
    }

    private int query(int row, int head) {
        return row * parameters.qkvColumns() + head * dim();
    }

    private int key(int row, int head) {
        int kvHead = head / (parameters.heads() / parameters.kvHeads());
        return row * parameters.qkvColumns() + (parameters.heads() + kvHead) * dim();
    }

    private int value(int row, int head) {
        return key(row, head) + parameters.kvHeads() * dim();
    }
}
