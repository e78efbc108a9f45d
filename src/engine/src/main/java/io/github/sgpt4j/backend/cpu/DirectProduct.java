package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import java.util.List;

/// A linear layer straight from the stored weights, for so few rows that packing them would cost more. It reads each
/// stored row once, and its plain loops are fast before the compiler has seen them: this is what a process that embeds
/// one short text with a small model runs.
final class DirectProduct {
    /// Multiply-adds with one matrix after which it is packed, unless asked otherwise.
    static final long MOST_WORK = 1L << 22;

    /// Output features per task.
    private static final int FEATURES = 64;

    private DirectProduct() {}

    /// `out = activation(x · Wᵀ + b)`, or `out += x · Wᵀ + b`.
    ///
    /// @param weight stacked parts, none of them transposed
    /// @param bias `[out]` or longer
    static void run(
            Workers workers,
            CpuTensor x,
            List<MatrixRows> weight,
            float[] bias,
            Activation activation,
            boolean add,
            CpuTensor out) {
        int features = out.columns();
        workers.parallelFor((features + FEATURES - 1) / FEATURES, (task, scratch) -> {
            int from = task * FEATURES;
            int to = Math.min(features, from + FEATURES);
            float[] row = scratch.floats(Scratch.Use.ROW, x.columns());
            int start = 0;
            for (MatrixRows part : weight) {
                for (int j = Math.max(from, start); j < Math.min(to, start + part.count()); j++) {
                    load(part, j - start, row);
                    feature(x, row, bias[j], j, add, out);
                }
                start += part.count();
            }
            if (activation != Activation.NONE) {
                for (int r = 0; r < out.rows(); r++) {
                    Activations.apply(activation, out.data(), out.offset() + r * features + from, to - from);
                }
            }
        });
    }

    private static void load(MatrixRows part, int row, float[] values) {
        int in = part.in();
        long at = (long) part.source(row) * in * part.tensor().dtype().bytes();
        Widening.widen(part.tensor().data(), part.tensor().dtype(), at, values, 0, in);
    }

    private static void feature(CpuTensor x, float[] weights, float bias, int feature, boolean add, CpuTensor out) {
        int in = x.columns();
        for (int r = 0; r < x.rows(); r++) {
            float value = dot(x.data(), x.offset() + r * in, weights, in) + bias;
            int o = out.offset() + r * out.columns() + feature;
            out.data()[o] = add ? out.data()[o] + value : value;
        }
    }

    private static float dot(float[] x, int at, float[] weights, int n) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        int i = 0;
        for (; i + 4 <= n; i += 4) {
            s0 += x[at + i] * weights[i];
            s1 += x[at + i + 1] * weights[i + 1];
            s2 += x[at + i + 2] * weights[i + 2];
            s3 += x[at + i + 3] * weights[i + 3];
        }
        for (; i < n; i++) {
            s0 += x[at + i] * weights[i];
        }
        return (s0 + s1) + (s2 + s3);
    }
}
