package io.github.sgpt4j.backend;

import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;

/// A selection of output features of a stored matrix or vector.
///
/// Logical row `j` is the stored output feature `first + (j / run) * stride + j % run`, for `j` in `[0, count)`: a
/// plain range (`run = stride = count`) or one run of rows per head, as in fused query-key-value weights that keep
/// `[heads, 3, headDim]`.
///
/// @param tensor stored `[out, in]`, `[in, out]` if `transposed`, or `[out]` (then `in` is 1)
/// @param transposed whether the input dimension comes first (GPT-2's `Conv1D`)
/// @param first the first stored output feature
/// @param run consecutive features per run
/// @param stride distance between the starts of runs
/// @param count number of selected features
public record MatrixRows(WeightTensor tensor, boolean transposed, int first, int run, int stride, int count) {
    public MatrixRows {
        int rank = tensor.shape().rank();
        if (rank != 1 && rank != 2 || transposed && rank == 1) {
            throw new IllegalArgumentException(
                    "tensor %s: expected a matrix or vector, got shape %s".formatted(tensor.name(), tensor.shape()));
        }
        if (first < 0 || run < 1 || stride < run || count < 1 || count % run != 0) {
            throw new IllegalArgumentException(
                    "tensor %s: expected whole runs of rows, no longer than their stride, got first %d, run %d, stride %d, count %d"
                            .formatted(tensor.name(), first, run, stride, count));
        }
        long last = first + (count / run - 1L) * stride + run - 1;
        if (last >= tensor.shape().dimension(transposed ? 1 : 0)) {
            throw new IllegalArgumentException("tensor %s: expected at least %d output features, got shape %s"
                    .formatted(tensor.name(), last + 1, tensor.shape()));
        }
    }

    /// All rows of a matrix stored `[out, in]`, or of a vector.
    public static MatrixRows all(WeightTensor tensor) {
        return range(tensor, false, 0, Math.toIntExact(tensor.shape().dimension(0)));
    }

    /// All output features of a matrix stored `[in, out]`.
    public static MatrixRows allTransposed(WeightTensor tensor) {
        return range(tensor, true, 0, Math.toIntExact(tensor.shape().dimension(1)));
    }

    /// Output features `[first, first + count)`.
    public static MatrixRows range(WeightTensor tensor, boolean transposed, int first, int count) {
        return new MatrixRows(tensor, transposed, first, count, count, count);
    }

    /// The number of output features of a linear layer with stacked weights.
    ///
    /// @param weight at least one, with equal input features
    /// @param bias empty, or vectors with as many features in total
    /// @throws IllegalArgumentException if they do not match
    public static int features(List<MatrixRows> weight, List<MatrixRows> bias) {
        if (weight.isEmpty()) {
            throw new IllegalArgumentException("linear layer: expected weights, got none");
        }
        int features = features(weight, weight.getFirst().in());
        if (!bias.isEmpty() && features(bias, 1) != features) {
            throw new IllegalArgumentException(
                    "linear layer starting with tensor %s: expected a bias of %d features, got %d"
                            .formatted(weight.getFirst().tensor().name(), features, features(bias, 1)));
        }
        return features;
    }

    private static int features(List<MatrixRows> parts, int in) {
        int features = 0;
        for (MatrixRows part : parts) {
            if (part.in() != in) {
                throw new IllegalArgumentException("tensor %s: expected %d input features, got shape %s"
                        .formatted(part.tensor.name(), in, part.tensor.shape()));
            }
            features = Math.addExact(features, part.count);
        }
        return features;
    }

    /// The stored output feature of logical row `row`.
    public int source(int row) {
        return first + (row / run) * stride + row % run;
    }

    /// Input features; 1 for a vector.
    public int in() {
        if (tensor.shape().rank() == 1) {
            return 1;
        }
        return Math.toIntExact(tensor.shape().dimension(transposed ? 0 : 1));
    }
}
