package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.Elementary;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;

/// A linear layer computed directly from the stored weights, for so few rows that packing would
/// cost more. It reads each stored row once, and its plain loops are fast even before they are
/// compiled: a process that embeds one short text with a small model uses it.
final class DirectProduct {
    /// The default number of multiply-adds with one matrix after which it is packed.
    static final long MAX_WORK = 1L << 22;

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
            WeightTensor.settle();
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
        Widening.widenMapped(part.tensor().data(), part.tensor().dtype(), at, values, 0, in);
    }

    /// One output feature of all rows, four rows at a time. Sums run in the order of
    /// [MatrixProduct], from the bias through the input features, so that both give the same bits.
    private static void feature(CpuTensor x, float[] weights, float bias, int feature, boolean add, CpuTensor out) {
        float[] data = x.data();
        float[] values = out.data();
        int stride = out.columns();
        int in = x.columns();
        int rows = x.rows();
        for (int r = 0; r < rows; r += 4) {
            int o = out.offset() + r * stride + feature;
            int at = x.offset() + r * in;
            int n = Math.min(4, rows - r);
            // Missing rows repeat the last one and store the same result again.
            int o1 = o + Math.min(1, n - 1) * stride;
            int o2 = o + Math.min(2, n - 1) * stride;
            int o3 = o + (n - 1) * stride;
            float s0 = add ? values[o] + bias : bias;
            float s1 = add ? values[o1] + bias : bias;
            float s2 = add ? values[o2] + bias : bias;
            float s3 = add ? values[o3] + bias : bias;
            int at1 = at + Math.min(1, n - 1) * in;
            int at2 = at + Math.min(2, n - 1) * in;
            int at3 = at + (n - 1) * in;
            for (int k = 0; k < in; k++) {
                float w = weights[k];
                s0 = Elementary.fma(data[at + k], w, s0);
                s1 = Elementary.fma(data[at1 + k], w, s1);
                s2 = Elementary.fma(data[at2 + k], w, s2);
                s3 = Elementary.fma(data[at3 + k], w, s3);
            }
            values[o] = s0;
            values[o1] = s1;
            values[o2] = s2;
            values[o3] = s3;
        }
    }
}
