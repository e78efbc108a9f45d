package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.model.family.DecoderConfig.Latents;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.ExpectedTensor.Use;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Latent attention of NV-Embed (Lee et al. 2024, arXiv 2405.17428; `modeling_nvembed.py`): the state
/// of each token
/// attends to learned latent vectors, then goes through a feed-forward block; both are added to the
/// state.
///
/// Keys and values of the latents do not depend on the text. So their products with the projections of
/// queries and
/// outputs are computed once: scores of all heads and latents are one product with the normed states,
/// and the weighted
/// values are a second one.
///
/// @param norm1 norm before attention
/// @param scores `[heads · latents, hidden]`, scaled
/// @param values `[hidden, heads · latents]`
/// @param latents number of latent vectors
/// @param norm2 norm before the feed-forward
/// @param up `[2 · inner, hidden]`, gate first
/// @param down `[hidden, inner]`
/// @param identity norm that leaves rows of the outputs unchanged
record LatentAttention(
        Norm norm1, Linear scores, Linear values, int latents, Norm norm2, Linear up, Linear down, Norm identity)
        implements TokenLayer {
    private static final String MODEL = "latent_attention_model.";
    private static final String ATTENTION = MODEL + "cross_attend_blocks.0.";
    private static final String FEED_FORWARD = MODEL + "cross_attend_blocks.1.";

    /// Of all norms, PyTorch's default.
    private static final float EPSILON = 1e-5f;

    @Override
    public int out() {
        return down.out();
    }

    /// The tensors that it needs, in the weights of the decoder.
    static List<ExpectedTensor> tensors(Latents c, int hidden) {
        long inner = c.heads() * (long) c.headDim();
        return List.of(
                new ExpectedTensor(MODEL + "latents", Use.VECTOR, c.count(), hidden),
                new ExpectedTensor(ATTENTION + "norm.weight", Use.VECTOR, hidden),
                new ExpectedTensor(ATTENTION + "norm.bias", Use.VECTOR, hidden),
                new ExpectedTensor(ATTENTION + "norm_context.weight", Use.VECTOR, hidden),
                new ExpectedTensor(ATTENTION + "norm_context.bias", Use.VECTOR, hidden),
                new ExpectedTensor(ATTENTION + "fn.to_q.weight", Use.MATRIX, inner, hidden),
                new ExpectedTensor(ATTENTION + "fn.to_kv.weight", Use.MATRIX, 2 * inner, hidden),
                new ExpectedTensor(ATTENTION + "fn.to_out.weight", Use.MATRIX, hidden, inner),
                new ExpectedTensor(FEED_FORWARD + "norm.weight", Use.VECTOR, hidden),
                new ExpectedTensor(FEED_FORWARD + "norm.bias", Use.VECTOR, hidden),
                new ExpectedTensor(FEED_FORWARD + "fn.net.0.weight", Use.MATRIX, 2L * c.feedForward(), hidden),
                new ExpectedTensor(FEED_FORWARD + "fn.net.0.bias", Use.VECTOR, 2L * c.feedForward()),
                new ExpectedTensor(FEED_FORWARD + "fn.net.2.weight", Use.MATRIX, hidden, c.feedForward()),
                new ExpectedTensor(FEED_FORWARD + "fn.net.2.bias", Use.VECTOR, hidden));
    }

    /// Values per token that [#apply] holds.
    static long values(Latents c, int hidden) {
        return Math.max(c.heads() * (long) c.count(), 3L * c.feedForward()) + hidden;
    }

    /// Loads it and computes the products of the weights, in 64-bit floats.
    ///
    /// @throws io.github.sgpt4j.error.FormatException if a tensor is missing or has another shape
    static LatentAttention load(Latents c, int hidden, Weights weights, Backend backend) {
        tensors(c, hidden)
                .forEach(tensor -> weights.get(tensor.name(), tensor.shape().toArray()));
        Folding folding = new Folding(c, hidden, weights);
        Linear scores = backend.linear(List.of(MatrixRows.all(folding.scores())), List.of());
        Linear values = backend.linear(List.of(MatrixRows.all(folding.values())), List.of());
        WeightTensor up = weights.get(FEED_FORWARD + "fn.net.0.weight");
        WeightTensor upBias = weights.get(FEED_FORWARD + "fn.net.0.bias");
        return new LatentAttention(
                backend.norm(layer(weights, ATTENTION + "norm", hidden)),
                scores,
                values,
                c.count(),
                backend.norm(layer(weights, FEED_FORWARD + "norm", hidden)),
                backend.linear(gateFirst(up, c.feedForward()), gateFirst(upBias, c.feedForward())),
                backend.linear(
                        List.of(MatrixRows.all(weights.get(FEED_FORWARD + "fn.net.2.weight"))),
                        List.of(MatrixRows.all(weights.get(FEED_FORWARD + "fn.net.2.bias")))),
                backend.norm(NormParameters.identity(hidden)));
    }

    private static NormParameters layer(Weights weights, String module, int hidden) {
        return new NormParameters(
                NormParameters.Kind.LAYER,
                hidden,
                Optional.of(weights.get(module + ".weight", hidden)),
                Optional.of(weights.get(module + ".bias", hidden)),
                EPSILON);
    }

    /// The file has the gate's rows last.
    private static List<MatrixRows> gateFirst(WeightTensor tensor, int inner) {
        return List.of(MatrixRows.range(tensor, false, inner, inner), MatrixRows.range(tensor, false, 0, inner));
    }

    /// Adds attention and feed-forward to the states.
    ///
    /// @param x `[tokens, hidden]`, changed in place
    void apply(Backend backend, Tensor x) {
        try (Tensor normed = backend.allocateInner(x.rows(), x.columns())) {
            backend.norm(x, norm1, normed);
            try (Tensor weights = backend.allocate(x.rows(), scores.out())) {
                backend.linear(normed, scores, Activation.NONE, weights);
                backend.softmax(weights, latents);
                backend.linearAdd(weights, values, x);
            }
            backend.norm(x, norm2, normed);
            try (Tensor both = backend.allocateInner(x.rows(), up.out());
                    Tensor inner = backend.allocateInner(x.rows(), down.in())) {
                backend.linear(normed, up, Activation.NONE, both);
                backend.gatedActivation(both, Activation.GELU, inner);
                backend.linearAdd(inner, down, x);
            }
        }
    }

    /// The products of weights that do not depend on texts.
    private static final class Folding {
        private final Latents c;
        private final int hidden;
        private final String file;
        private final float[] queries;
        private final float[] outputs;
        /// Keys, then values of all heads, `[latents][2 · heads · headDim]`.
        private final double[][] keysAndValues;

        Folding(Latents c, int hidden, Weights weights) {
            this.c = c;
            this.hidden = hidden;
            WeightTensor latents = weights.get(MODEL + "latents");
            file = latents.file();
            queries = weights.get(ATTENTION + "fn.to_q.weight").toFloats();
            outputs = weights.get(ATTENTION + "fn.to_out.weight").toFloats();
            float[] projection = weights.get(ATTENTION + "fn.to_kv.weight").toFloats();
            float[] gain = weights.get(ATTENTION + "norm_context.weight").toFloats();
            float[] bias = weights.get(ATTENTION + "norm_context.bias").toFloats();
            float[] stored = latents.toFloats();
            keysAndValues = IntStream.range(0, c.count())
                    .parallel()
                    .mapToObj(n -> project(normed(stored, n * hidden, gain, bias), projection))
                    .toArray(double[][]::new);
        }

        private double[] normed(float[] x, int at, float[] gain, float[] bias) {
            double mean = 0;
            for (int i = 0; i < hidden; i++) {
                mean += x[at + i];
            }
            mean /= hidden;
            double variance = 0;
            for (int i = 0; i < hidden; i++) {
                variance += (x[at + i] - mean) * (x[at + i] - mean);
            }
            double scale = 1 / Math.sqrt(variance / hidden + EPSILON);
            double[] y = new double[hidden];
            for (int i = 0; i < hidden; i++) {
                y[i] = (x[at + i] - mean) * scale * gain[i] + bias[i];
            }
            return y;
        }

        private double[] project(double[] x, float[] weight) {
            double[] y = new double[weight.length / hidden];
            for (int o = 0; o < y.length; o++) {
                double sum = 0;
                for (int i = 0; i < hidden; i++) {
                    sum += x[i] * weight[o * hidden + i];
                }
                y[o] = sum;
            }
            return y;
        }

        /// Row `h · latents + n`: the scaled key of latent n in head h, times that head's projection
        /// of queries.
        WeightTensor scores() {
            int d = c.headDim();
            double scale = 1 / Math.sqrt(d);
            return tensor("latent scores", c.heads() * c.count(), hidden, (row, sums) -> {
                int head = row / c.count();
                double[] latent = keysAndValues[row % c.count()];
                for (int k = 0; k < d; k++) {
                    double factor = latent[head * d + k] * scale;
                    int at = (head * d + k) * hidden;
                    for (int i = 0; i < hidden; i++) {
                        sums[i] += factor * queries[at + i];
                    }
                }
            });
        }

        /// Column `h · latents + n`: the value of latent n in head h, times that head's projection of
        /// outputs.
        WeightTensor values() {
            int d = c.headDim();
            int inner = c.heads() * d;
            return tensor("latent values", hidden, c.heads() * c.count(), (row, sums) -> {
                for (int column = 0; column < sums.length; column++) {
                    int head = column / c.count();
                    double[] latent = keysAndValues[column % c.count()];
                    double sum = 0;
                    for (int k = 0; k < d; k++) {
                        sum += latent[inner + head * d + k] * outputs[row * inner + head * d + k];
                    }
                    sums[column] = sum;
                }
            });
        }

        @FunctionalInterface
        private interface RowSums {
            void add(int row, double[] sums);
        }

        private WeightTensor tensor(String name, int rows, int columns, RowSums sums) {
            MemorySegment memory = Arena.ofAuto().allocate(ElementType.F32.bytes((long) rows * columns), 64);
            IntStream.range(0, rows).parallel().forEach(r -> {
                double[] row = new double[columns];
                sums.add(r, row);
                for (int i = 0; i < columns; i++) {
                    memory.setAtIndex(LittleEndian.F32, (long) r * columns + i, (float) row[i]);
                }
            });
            return new WeightTensor(name, file, ElementType.F32, Shape.of(rows, columns), memory.asReadOnly());
        }
    }
}
