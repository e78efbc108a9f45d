package io.github.sgpt4j.backend.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backward;
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
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Gradients against finite differences of the operations, for the loss Σ dOut ∘ out.
class ReferenceBackwardTest {
    /// Inputs are multiples of 2⁻¹², so that they are exact in 32 bits with and without this step.
    private static final float STEP = 0x1p-10f;

    /// A central difference is off by STEP² / 6 = 1.6e-7 times the third derivative.
    private static final double TOLERANCE = 5e-5;

    private static final double EXACT = 1e-13;

    private final SplittableRandom random = new SplittableRandom(5);
    private final ReferenceBackend backend = new ReferenceBackend();
    private final Backward backward = backend.backward().orElseThrow();
    private final TestWeights weights = new TestWeights();

    @AfterEach
    void close() {
        backend.close();
        weights.close();
    }

    @Test
    void linear() {
        Linear linear = backend.linear(
                List.of(
                        MatrixRows.all(weights.matrix(3, 4, values(12))),
                        MatrixRows.allTransposed(weights.matrix(4, 2, values(8)))),
                List.of(MatrixRows.all(weights.vector(values(5)))));
        float[] dOut = values(10);
        float[] x = values(8);
        double[] expected = numeric(x, dOut, in -> {
            Tensor out = backend.allocate(2, 5);
            backend.linear(tensor(in, 2), linear, Activation.NONE, out);
            return out;
        });
        Tensor dX = backend.allocate(2, 4);
        backward.linear(tensor(dOut, 2), linear, false, dX);
        assertArrayEquals(expected, backend.values(dX), TOLERANCE);
        assertAdds(dX, sum -> backward.linear(tensor(dOut, 2), linear, true, sum));
    }

    @Test
    void linearByHand() {
        Linear linear = backend.linear(List.of(MatrixRows.all(weights.matrix(2, 3, 1, 2, 3, 10, 20, 30))), List.of());
        Tensor dX = backend.allocate(1, 3);
        backward.linear(tensor(new float[] {1, 0.5f}, 1), linear, false, dX);
        assertArrayEquals(new double[] {6, 12, 18}, backend.values(dX), EXACT);
    }

    @ParameterizedTest
    @EnumSource
    void activations(Activation activation) {
        float[] x = values(40);
        float[] dOut = values(40);
        double[] expected = numeric(x, dOut, in -> {
            Tensor out = backend.allocate(2, 20);
            backward.activate(tensor(in, 2), activation, out);
            return out;
        });
        Tensor d = tensor(dOut, 2);
        backward.activation(tensor(x, 2), activation, d);
        assertArrayEquals(expected, backend.values(d), TOLERANCE);
    }

    @ParameterizedTest
    @EnumSource
    void gatedActivations(Activation activation) {
        float[] x = values(40);
        float[] dOut = values(20);
        double[] expected = numeric(x, dOut, in -> {
            Tensor out = backend.allocate(2, 10);
            backend.gatedActivation(tensor(in, 2), activation, out);
            return out;
        });
        Tensor dX = backend.allocate(2, 20);
        backward.gatedActivation(tensor(x, 2), activation, tensor(dOut, 2), dX);
        assertArrayEquals(expected, backend.values(dX), TOLERANCE);
    }

    @ParameterizedTest
    @EnumSource
    void norms(NormParameters.Kind kind) {
        Norm norm = backend.norm(parameters(kind, 6));
        float[] x = values(18);
        float[] dOut = values(18);
        double[] expected = numeric(x, dOut, in -> {
            Tensor out = backend.allocate(3, 6);
            backend.norm(tensor(in, 3), norm, out);
            return out;
        });
        Tensor dX = backend.allocate(3, 6);
        backward.norm(tensor(x, 3), norm, tensor(dOut, 3), false, dX);
        assertArrayEquals(expected, backend.values(dX), TOLERANCE);
        assertAdds(dX, sum -> backward.norm(tensor(x, 3), norm, tensor(dOut, 3), true, sum));
        Tensor inPlace = tensor(dOut, 3);
        backward.norm(tensor(x, 3), norm, inPlace, false, inPlace);
        assertArrayEquals(backend.values(dX), backend.values(inPlace));
    }

    @ParameterizedTest
    @EnumSource
    void headNorms(NormParameters.Kind kind) {
        Norm norm = backend.norm(parameters(kind, 4));
        float[] qkv = values(22);
        float[] dOut = values(22);
        double[] expected = numeric(qkv, dOut, in -> {
            Tensor out = tensor(in, 2);
            backend.headNorm(out, 1, 2, norm);
            return out;
        });
        Tensor d = tensor(dOut, 2);
        backward.headNorm(tensor(qkv, 2), 1, 2, norm, d);
        assertArrayEquals(expected, backend.values(d), TOLERANCE);
    }

    @Test
    void attention() {
        for (int kvHeads : new int[] {1, 2, 4}) {
            for (int window : new int[] {0, 1, 3}) {
                for (float[] slopes : new float[][] {{}, {0.5f, 0.25f, 0, 1}}) {
                    attention(new AttentionParameters(4, kvHeads, 3, 0.7f, window, slopes));
                }
            }
        }
    }

    private void attention(AttentionParameters parameters) {
        PackedBatch packed = PackedBatch.of(List.of(new int[2], new int[1], new int[5]));
        float[] qkv = values(8 * parameters.qkvColumns());
        float[] dOut = values(8 * 12);
        double[] expected = numeric(qkv, dOut, in -> {
            Tensor out = backend.allocate(8, 12);
            backend.attention(tensor(in, 8), backend.upload(packed), parameters, out);
            return out;
        });
        Tensor out = backend.allocate(8, 12);
        Tensor dQkv = backend.allocate(8, parameters.qkvColumns());
        backward.attention(tensor(qkv, 8), backend.upload(packed), parameters, out, tensor(dOut, 8), dQkv);
        assertArrayEquals(expected, backend.values(dQkv), TOLERANCE, parameters.toString());
    }

    @ParameterizedTest
    @EnumSource
    void pools(PoolMode mode) {
        pool(List.of(mode), 0, 0, 0);
        pool(List.of(mode), 2, 0, 3);
        pool(List.of(mode, PoolMode.WEIGHTED_MEAN, PoolMode.MAX), 1, 2, 0);
    }

    private void pool(List<PoolMode> modes, int... skip) {
        int hidden = 3;
        PackedBatch packed = PackedBatch.of(List.of(new int[4], new int[1], new int[3]));
        SequenceRows sequences = SequenceRows.of(packed, 2, 0, 1);
        Norm identity = backend.norm(NormParameters.identity(hidden));
        float[] x = values(8 * hidden);
        float[] dOut = values(3 * modes.size() * hidden);
        double[] expected = numeric(x, dOut, in -> {
            Tensor out = backend.allocate(3, modes.size() * hidden);
            backend.pool(tensor(in, 8), identity, sequences, skip, modes, out);
            return out;
        });
        Tensor dNormed = backend.allocate(8, hidden);
        backward.pool(tensor(x, 8), identity, sequences, skip, modes, tensor(dOut, 3), dNormed);
        assertArrayEquals(expected, backend.values(dNormed), TOLERANCE, modes + ", skip " + Arrays.toString(skip));
    }

    @Test
    void maximaAreTheFirstOfEqualNormalisedValues() {
        SequenceRows sequences =
                SequenceRows.of(PackedBatch.of(List.of(new int[4])), 0).at(new int[] {4, 1, 2, 3});
        Norm identity = backend.norm(NormParameters.identity(1));
        Tensor dNormed = backend.allocate(6, 1);
        Tensor x = tensor(new float[] {9, 7, 3, 7, 5, 9}, 6);
        backward.pool(x, identity, sequences, new int[1], List.of(PoolMode.MAX), tensor(new float[] {2}, 1), dNormed);
        assertArrayEquals(new double[] {0, 2, 0, 0, 0, 0}, backend.values(dNormed));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "IDENTITY")
    void gains(NormParameters.Kind kind) {
        float[] x = values(15);
        float[] dOut = values(15);
        double[] expected = numeric(values(5), dOut, gain -> {
            Tensor out = backend.allocate(3, 5);
            backend.norm(tensor(x, 3), backend.norm(withGain(kind, gain)), out);
            return out;
        });
        Norm norm = backend.norm(parameters(kind, 5));
        assertSums(expected, 1, 5, sums -> backward.gainSums(tensor(x, 3), norm, tensor(dOut, 3), sums));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "IDENTITY")
    void headGains(NormParameters.Kind kind) {
        float[] qkv = values(26);
        float[] dOut = values(26);
        double[] expected = numeric(values(5), dOut, gain -> {
            Tensor out = tensor(qkv, 2);
            backend.headNorm(out, 2, 2, backend.norm(withGain(kind, gain)));
            return out;
        });
        Norm norm = backend.norm(parameters(kind, 5));
        assertSums(expected, 1, 5, sums -> backward.headGainSums(tensor(qkv, 2), 2, 2, norm, tensor(dOut, 2), sums));
    }

    @Test
    void weightsAndBiases() {
        float[] x = values(12);
        float[] dOut = values(6);
        float[] weight = values(8);
        float[] bias = values(2);
        double[] expected = numeric(weight, dOut, changed -> project(x, changed, bias));
        assertSums(expected, 2, 4, sums -> backward.weightSums(tensor(x, 3), tensor(dOut, 3), sums));
        double[] expectedBias = numeric(bias, dOut, changed -> project(x, weight, changed));
        assertSums(expectedBias, 1, 2, sums -> backward.columnSums(tensor(dOut, 3), sums));
    }

    private Tensor project(float[] x, float[] weight, float[] bias) {
        Tensor out = backend.allocate(3, 2);
        Linear linear = backend.linear(
                List.of(MatrixRows.all(weights.matrix(2, 4, weight))), List.of(MatrixRows.all(weights.vector(bias))));
        backend.linear(tensor(x, 3), linear, Activation.NONE, out);
        return out;
    }

    @Test
    void embeddingsAndPositions() {
        PackedBatch packed = PackedBatch.of(List.of(new int[] {1, 3, 1}, new int[] {4, 1}));
        float[] dOut = values(10);
        double[] expected = numeric(values(10), dOut, table -> {
            Tensor out = backend.allocate(5, 2);
            backend.embed(backend.table(weights.matrix(5, 2, table)), backend.upload(packed), out);
            return out;
        });
        assertSums(expected, 5, 2, sums -> backward.embeddingSums(backend.upload(packed), tensor(dOut, 5), sums));
        double[] expectedPositions = numeric(values(10), dOut, table -> {
            Tensor out = tensor(new float[10], 5);
            backend.addPositions(backend.table(weights.matrix(5, 2, table)), 2, backend.upload(packed), out);
            return out;
        });
        assertSums(
                expectedPositions,
                5,
                2,
                sums -> backward.positionSums(2, backend.upload(packed), tensor(dOut, 5), sums));
    }

    @Test
    void weightsAreReadAgain() {
        WeightTensor matrix = weights.matrix(1, 2, 1, 2);
        WeightTensor vector = weights.vector(3);
        Linear linear = backend.linear(List.of(MatrixRows.all(matrix)), List.of(MatrixRows.all(vector)));
        Table table = backend.table(matrix);
        Norm norm =
                backend.norm(new NormParameters(NormParameters.Kind.RMS, 1, Optional.of(vector), Optional.empty(), 0f));
        weights.change(matrix, 10, 20);
        weights.change(vector, 30);
        assertEquals(3 + 1 + 2, project(linear), EXACT);
        backward.reloadBias(linear);
        assertEquals(30 + 1 + 2, project(linear), EXACT);
        backward.reload(linear);
        assertEquals(30 + 10 + 20, project(linear), EXACT);
        backward.reload(norm);
        Tensor normed = backend.allocate(1, 1);
        backend.norm(tensor(new float[] {-7}, 1), norm, normed);
        assertEquals(-30, backend.values(normed)[0], EXACT);
        backward.reload(table);
        Tensor embedded = backend.allocate(1, 2);
        backend.embed(table, backend.upload(PackedBatch.of(List.of(new int[1]))), embedded);
        assertArrayEquals(new double[] {10, 20}, backend.values(embedded));
    }

    private double project(Linear linear) {
        Tensor out = backend.allocate(1, 1);
        backend.linear(tensor(new float[] {1, 1}, 1), linear, Activation.NONE, out);
        return backend.values(out)[0];
    }

    @Test
    void closedSumsAreRefused() {
        Sums sums = backward.sums(1, 1);
        sums.close();
        assertThrows(IllegalStateException.class, sums::clear);
        assertThrows(IllegalStateException.class, () -> sums.read(0, new double[1]));
    }

    /// Runs an operation twice and checks its sums, and that clearing them works.
    private void assertSums(double[] expected, int rows, int columns, Consumer<Sums> operation) {
        try (Sums sums = backward.sums(rows, columns)) {
            operation.accept(sums);
            assertArrayEquals(expected, read(sums), TOLERANCE);
            operation.accept(sums);
            assertArrayEquals(Arrays.stream(expected).map(v -> 2 * v).toArray(), read(sums), 2 * TOLERANCE);
            sums.clear();
            assertArrayEquals(new double[expected.length], read(sums));
        }
    }

    private static double[] read(Sums sums) {
        double[] all = new double[sums.rows() * sums.columns()];
        double[] row = new double[sums.columns()];
        for (int r = 0; r < sums.rows(); r++) {
            sums.read(r, row);
            System.arraycopy(row, 0, all, r * row.length, row.length);
        }
        return all;
    }

    /// Checks that the same operation adds to what a tensor holds.
    private void assertAdds(Tensor fresh, Consumer<Tensor> operation) {
        float[] before = values(fresh.rows() * fresh.columns());
        Tensor sum = tensor(before, fresh.rows());
        operation.accept(sum);
        double[] expected = backend.values(fresh);
        for (int i = 0; i < expected.length; i++) {
            expected[i] += before[i];
        }
        assertArrayEquals(expected, backend.values(sum), EXACT);
    }

    private double[] numeric(float[] x, float[] dOut, Function<float[], Tensor> operation) {
        double[] gradient = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            float[] moved = x.clone();
            moved[i] = x[i] + STEP;
            double above = loss(operation.apply(moved), dOut);
            moved[i] = x[i] - STEP;
            gradient[i] = (above - loss(operation.apply(moved), dOut)) / (2 * STEP);
        }
        return gradient;
    }

    private double loss(Tensor out, float[] dOut) {
        double[] values = backend.values(out);
        double loss = 0;
        for (int i = 0; i < values.length; i++) {
            loss += values[i] * dOut[i];
        }
        return loss;
    }

    private Tensor tensor(float[] values, int rows) {
        return backend.upload(values, rows, values.length / rows);
    }

    /// No two of them are within two steps of another or of 0, as maxima and RELU are not smooth.
    private float[] values(int count) {
        float[] values = new float[count];
        int[] order = random.ints(0, 2000).distinct().limit(count).toArray();
        for (int i = 0; i < count; i++) {
            values[i] = (order[i] - 1000 + 0.5f) * 0x1p-9f;
        }
        return values;
    }

    private NormParameters parameters(NormParameters.Kind kind, int columns) {
        return withGain(kind, values(columns));
    }

    private NormParameters withGain(NormParameters.Kind kind, float[] gain) {
        return switch (kind) {
            case LAYER ->
                new NormParameters(
                        kind,
                        gain.length,
                        Optional.of(weights.vector(gain)),
                        Optional.of(weights.vector(new float[gain.length])),
                        1e-2f);
            case RMS ->
                new NormParameters(kind, gain.length, Optional.of(weights.vector(gain)), Optional.empty(), 1e-2f);
            case IDENTITY -> NormParameters.identity(gain.length);
        };
    }
}
