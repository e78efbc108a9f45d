package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.TestWeights;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/// A layer, forward and backward, with every operation of training.
final class TrainingStep implements AutoCloseable {
    private static final int HIDDEN = 32;
    private static final int INNER = 40;
    private static final int VOCABULARY = 20;
    private static final int POSITIONS = 40;
    private static final AttentionParameters ATTENTION =
            new AttentionParameters(2, 1, 16, 0.25f, 7, new float[] {0.5f, 0.25f});
    private static final int ATTENDED = 32;
    private static final int QKV = 64;

    private final Random random = new Random(4);
    private final TestWeights weights = new TestWeights();
    private final Backend backend;
    private final Backward backward;
    private final List<WeightTensor> stored = new ArrayList<>();
    private final Table table;
    private final Table positions;
    private final Norm norm;
    private final Norm heads;
    private final Linear qkv;
    private final Linear out;
    private final Linear up;
    private final Linear down;

    TrainingStep(Backend backend) {
        this.backend = backend;
        backward = backend.backward().orElseThrow();
        table = backend.table(weight(0, 1, VOCABULARY, HIDDEN));
        positions = backend.table(weight(0, 0.3, POSITIONS, HIDDEN));
        norm = norm(NormParameters.Kind.LAYER, HIDDEN, Optional.of(weight(0, 0.2, HIDDEN)));
        heads = norm(NormParameters.Kind.RMS, 16, Optional.empty());
        qkv = linear(QKV, HIDDEN);
        out = linear(HIDDEN, ATTENDED);
        up = linear(2 * INNER, HIDDEN);
        down = linear(HIDDEN, INNER);
    }

    private Norm norm(NormParameters.Kind kind, int columns, Optional<WeightTensor> bias) {
        return backend.norm(new NormParameters(kind, columns, Optional.of(weight(1, 0.2, columns)), bias, 1e-5f));
    }

    private Linear linear(int rows, int columns) {
        return backend.linear(
                List.of(MatrixRows.all(weight(0, 1 / Math.sqrt(columns), rows, columns))),
                List.of(MatrixRows.all(weight(0, 0.2, rows))));
    }

    private WeightTensor weight(double mean, double deviation, long... dimensions) {
        int count = (int) Arrays.stream(dimensions).reduce(1, (a, b) -> a * b);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            // What bfloat16 keeps.
            values[i] = TestWeights.round((float) (mean + deviation * random.nextGaussian()), ElementType.BF16);
        }
        WeightTensor weight = weights.tensor(ElementType.F32, values, dimensions);
        stored.add(weight);
        return weight;
    }

    /// Changes all weights and has them read again.
    void change() {
        overwrite(0.75f);
        backward.reload(table);
        backward.reload(positions);
        backward.reload(norm);
        backward.reload(heads);
        for (Linear linear : List.of(qkv, out, up, down)) {
            backward.reload(linear);
        }
    }

    /// Changes all weights where they are stored, and nothing else.
    void overwrite(float factor) {
        for (WeightTensor weight : stored) {
            float[] values = weights.values(weight);
            for (int i = 0; i < values.length; i++) {
                values[i] *= factor;
            }
            weights.change(weight, values);
        }
    }

    /// Gradients and sums, joined.
    float[] run(int... lengths) {
        PackedBatch packed = PackedBatch.of(Arrays.stream(lengths)
                .mapToObj(
                        n -> IntStream.range(0, n).map(i -> i * 7 % VOCABULARY).toArray())
                .toList());
        try (Batch batch = backend.upload(packed);
                Run run = new Run(batch, packed)) {
            run.forward();
            run.backward();
            return run.results();
        }
    }

    /// One batch.
    private final class Run implements AutoCloseable {
        private final List<AutoCloseable> made = new ArrayList<>();
        private final List<Sums> sums = new ArrayList<>();
        private final Batch batch;
        private final PackedBatch packed;
        private final int tokens;
        private final Tensor first;
        private final Tensor second;
        private final Tensor third;
        private final Tensor normed;
        private final Tensor normedAgain;
        private final Tensor before;
        private final Tensor after;
        private final Tensor attended;
        private final Tensor both;
        private final Tensor gated;
        private final Tensor dx;

        Run(Batch batch, PackedBatch packed) {
            this.batch = batch;
            this.packed = packed;
            tokens = packed.tokens();
            first = residual();
            second = residual();
            third = residual();
            normed = inner(HIDDEN);
            normedAgain = inner(HIDDEN);
            before = inner(QKV);
            after = inner(QKV);
            attended = inner(ATTENDED);
            both = inner(2 * INNER);
            gated = inner(INNER);
            dx = residual();
        }

        private Tensor residual() {
            return keep(backend.allocate(tokens, HIDDEN));
        }

        private Tensor inner(int columns) {
            return keep(backend.allocateInner(tokens, columns));
        }

        private <T extends AutoCloseable> T keep(T part) {
            made.add(part);
            return part;
        }

        private Sums sums(int rows, int columns) {
            Sums made = keep(backward.sums(rows, columns));
            sums.add(made);
            return made;
        }

        void forward() {
            backend.embed(table, batch, first);
            backend.addPositions(positions, 2, batch, first);
            backend.norm(first, norm, normed);
            backend.linear(normed, qkv, Activation.NONE, before);
            backend.copy(before, after);
            backend.headNorm(after, 16, 2, heads);
            backend.attention(after, batch, ATTENTION, attended);
            backend.copy(first, second);
            backend.linearAdd(attended, out, second);
            backend.norm(second, norm, normedAgain);
            backend.linear(normedAgain, up, Activation.NONE, both);
            backend.gatedActivation(both, Activation.SILU, gated);
            backend.copy(second, third);
            backend.linearAdd(gated, down, third);
        }

        void backward() {
            int[] ends = IntStream.range(0, packed.segments()).toArray();
            float[] gradients = new float[2 * packed.segments() * HIDDEN];
            Arrays.setAll(ends, i -> i);
            for (int i = 0; i < gradients.length; i++) {
                gradients[i] = (i * 29 % 17 - 8) / 8f;
            }
            Tensor dPooled = keep(backend.upload(gradients, packed.segments(), 2 * HIDDEN));
            Tensor dNormed = residual();
            backward.pool(
                    third,
                    norm,
                    SequenceRows.of(packed, ends),
                    new int[ends.length],
                    List.of(PoolMode.WEIGHTED_MEAN, PoolMode.MAX),
                    dPooled,
                    dNormed);
            backward.norm(third, norm, dNormed, false, dx);
            Tensor d = inner(INNER);
            linear(down, gated, dx, d);
            Tensor dBoth = inner(2 * INNER);
            backward.gatedActivation(both, Activation.SILU, d, dBoth);
            Tensor n = inner(HIDDEN);
            linear(up, normedAgain, dBoth, n);
            // Another layer whose activation is computed apart.
            Tensor activated = inner(2 * INNER);
            backward.activate(both, Activation.GELU_TANH, activated);
            backward.activation(both, Activation.GELU_TANH, dBoth);
            linear(up, activated, dBoth, true, n);
            normBack(second, n);
            Tensor a = inner(ATTENDED);
            linear(out, attended, dx, a);
            Tensor dQkv = inner(QKV);
            backward.attention(after, batch, ATTENTION, attended, a, dQkv);
            backward.headGainSums(before, 16, 2, heads, dQkv, sums(1, 16));
            backward.headNorm(before, 16, 2, heads, dQkv);
            linear(qkv, normed, dQkv, n);
            normBack(first, n);
            backward.embeddingSums(batch, dx, sums(VOCABULARY, HIDDEN));
            backward.positionSums(2, batch, dx, sums(POSITIONS, HIDDEN));
        }

        private void linear(Linear layer, Tensor x, Tensor dOut, Tensor dX) {
            linear(layer, x, dOut, false, dX);
        }

        private void linear(Linear layer, Tensor x, Tensor dOut, boolean add, Tensor dX) {
            backward.columnSums(dOut, sums(1, layer.out()));
            backward.weightSums(x, dOut, sums(layer.out(), x.columns()));
            backward.linear(dOut, layer, add, dX);
        }

        private void normBack(Tensor x, Tensor n) {
            backward.columnSums(n, sums(1, HIDDEN));
            backward.gainSums(x, norm, n, sums(1, HIDDEN));
            backward.norm(x, norm, n, true, dx);
        }

        float[] results() {
            List<Float> all = new ArrayList<>();
            for (float value : backend.download(dx)) {
                all.add(value);
            }
            for (Sums some : sums) {
                double[] row = new double[some.columns()];
                for (int r = 0; r < some.rows(); r++) {
                    some.read(r, row);
                    Arrays.stream(row).forEach(value -> all.add((float) value));
                }
            }
            float[] results = new float[all.size()];
            for (int i = 0; i < results.length; i++) {
                results[i] = all.get(i);
            }
            return results;
        }

        @Override
        public void close() {
            for (AutoCloseable part : made) {
                try {
                    part.close();
                } catch (Exception e) {
                    throw new AssertionError("close failed", e);
                }
            }
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
