package io.github.sgpt4j.backend.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.TestWeights;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Examples small enough to work out by hand.
class ReferenceBackendTest {
    private static final double EXACT = 1e-14;

    private final ReferenceBackend backend = new ReferenceBackend();
    private final TestWeights weights = new TestWeights();

    @AfterEach
    void close() {
        backend.close();
        weights.close();
    }

    @Test
    void linearMultipliesByTheTransposedWeight() {
        Linear linear = backend.linear(
                List.of(MatrixRows.all(weights.matrix(2, 2, 3, 4, 5, 6))),
                List.of(MatrixRows.all(weights.vector(0.5f, -100))));
        assertArrayEquals(new double[] {11.5, -83}, linear(linear, Activation.NONE, 1, 2), EXACT);
        assertArrayEquals(new double[] {11.5, 0}, linear(linear, Activation.RELU, 1, 2), EXACT);
        Tensor x = backend.upload(new float[] {1, 2}, 1, 2);
        Tensor out = backend.upload(new float[] {1000, 2000}, 1, 2);
        backend.linearAdd(x, linear, out);
        assertArrayEquals(new double[] {1011.5, 1917}, backend.values(out), EXACT);
    }

    @Test
    void linearReadsTransposedWeights() {
        WeightTensor stored = weights.matrix(2, 3, 3, 5, 7, 4, 6, 8);
        Linear linear = backend.linear(List.of(MatrixRows.allTransposed(stored)), List.of());
        assertEquals(2, linear.in());
        assertEquals(3, linear.out());
        assertArrayEquals(new double[] {11, 17, 23}, linear(linear, Activation.NONE, 1, 2), EXACT);
    }

    @Test
    void linearStacksPartsAndTakesRunsOfRows() {
        WeightTensor six = weights.matrix(6, 1, 0, 1, 2, 3, 4, 5);
        WeightTensor two = weights.matrix(2, 1, 10, 20);
        Linear linear = backend.linear(
                List.of(new MatrixRows(six, false, 0, 2, 3, 4), MatrixRows.range(two, false, 1, 1)), List.of());
        assertArrayEquals(new double[] {0, 1, 3, 4, 20}, linear(linear, Activation.NONE, 1), EXACT);
    }

    @Test
    void linearReadsNarrowTypesUnaligned() {
        for (ElementType dtype : List.of(ElementType.F32, ElementType.F16, ElementType.BF16)) {
            for (int i = 0; i < 2; i++) {
                WeightTensor stored = weights.tensor(dtype, new float[] {1.5f, -0.375f}, 1, 2);
                Linear linear = backend.linear(List.of(MatrixRows.all(stored)), List.of());
                assertArrayEquals(new double[] {1.125}, linear(linear, Activation.NONE, 1, 1), EXACT);
            }
        }
        MatrixRows integers = MatrixRows.all(weights.zeros(ElementType.I32, 1, 1));
        assertThrows(BackendException.class, () -> backend.linear(List.of(integers), List.of()));
    }

    @Test
    void layerNormCentresAndScales() {
        assertArrayEquals(new double[] {-1, 1}, norm(layer(0f), 1, 3), EXACT);
        assertArrayEquals(new double[] {-0.5, 0.5}, norm(layer(3f), 1, 3), EXACT);
        NormParameters full = new NormParameters(
                NormParameters.Kind.LAYER,
                2,
                Optional.of(weights.vector(2, 3)),
                Optional.of(weights.vector(10, 20)),
                0f);
        assertArrayEquals(new double[] {8, 23}, norm(full, 1, 3), EXACT);
    }

    @Test
    void rmsNormScalesOnly() {
        NormParameters rms = rms(2);
        double root = Math.sqrt(12.5);
        assertArrayEquals(new double[] {3 / root, 4 / root}, norm(rms, 3, 4), EXACT);
        assertArrayEquals(new double[] {3, 4}, norm(NormParameters.identity(2), 3, 4), EXACT);
    }

    @Test
    void headNormLeavesOtherColumnsAlone() {
        Tensor x = backend.upload(new float[] {9, 3, 4, 0, 5, 9}, 1, 6);
        backend.headNorm(x, 1, 2, backend.norm(rms(2)));
        double root = Math.sqrt(12.5);
        assertArrayEquals(new double[] {9, 3 / root, 4 / root, 0, 5 / root, 9}, backend.values(x), EXACT);
    }

    @Test
    void rotaryTurnsPairsByPosition() {
        // one head of 4 with 2 rotary dimensions, 30° a position; query, key, value
        float[] row = {1, 0, 7, 8, 0, 1, 7, 8, 1, 0, 7, 8};
        double[] out = rotary(row, 4, new RotaryParameters(1, 1, 4, 2, true, new double[] {Math.PI / 6}, 1f));
        assertArrayEquals(new double[] {1, 0, 7, 8, 0, 1, 7, 8, 1, 0, 7, 8}, Arrays.copyOf(out, 12), EXACT);
        double cos = Math.sqrt(3) / 2;
        double[] second = Arrays.copyOfRange(out, 12, 24);
        assertArrayEquals(new double[] {cos, 0.5, 7, 8, -0.5, cos, 7, 8, 1, 0, 7, 8}, second, EXACT);
        double[] fourth = Arrays.copyOfRange(out, 36, 48);
        assertArrayEquals(new double[] {0, 1, 7, 8, -1, 0, 7, 8, 1, 0, 7, 8}, fourth, EXACT);
    }

    @Test
    void rotaryPairsNeighboursOrHalves() {
        float[] row = {1, 2, 3, 4, 0, 0, 0, 0, 9, 9, 9, 9};
        double[] quarterAndHalf = {Math.PI / 2, Math.PI};
        double[] interleaved = rotary(row, 2, new RotaryParameters(1, 1, 4, 4, true, quarterAndHalf, 1f));
        assertArrayEquals(new double[] {-2, 1, -3, -4}, Arrays.copyOfRange(interleaved, 12, 16), EXACT);
        double[] halves = rotary(row, 2, new RotaryParameters(1, 1, 4, 4, false, quarterAndHalf, 1f));
        assertArrayEquals(new double[] {-3, -2, 1, -4}, Arrays.copyOfRange(halves, 12, 16), EXACT);
        double[] scaled = rotary(row, 2, new RotaryParameters(1, 1, 4, 4, false, quarterAndHalf, 2f));
        assertArrayEquals(new double[] {-6, -4, 2, -8}, Arrays.copyOfRange(scaled, 12, 16), EXACT);
    }

    @Test
    void embedLooksUpIdsAndAddsPositionsWithOffset() {
        Table table = backend.table(weights.matrix(3, 2, 1, 2, 3, 4, 5, 6));
        Table positions = backend.table(weights.matrix(4, 2, 0, 0, 0, 0, 10, 20, 30, 40));
        Batch batch = backend.upload(PackedBatch.of(List.of(new int[] {2, 0}, new int[] {1})));
        Tensor out = backend.allocate(3, 2);
        backend.embed(table, batch, out);
        assertArrayEquals(new double[] {5, 6, 1, 2, 3, 4}, backend.values(out), EXACT);
        backend.addPositions(positions, 2, batch, out);
        assertArrayEquals(new double[] {15, 26, 31, 42, 13, 24}, backend.values(out), EXACT);
        assertEquals(3, backend.embeddedRows());
    }

    @Test
    void gatedActivationMultipliesByTheSecondHalf() {
        Tensor x = backend.upload(new float[] {-1, 2, 5, 7}, 1, 4);
        Tensor out = backend.allocate(1, 2);
        backend.gatedActivation(x, Activation.RELU, out);
        assertArrayEquals(new double[] {0, 14}, backend.values(out), EXACT);
    }

    @Test
    void poolingReducesEachSegment() {
        List<PoolMode> modes = List.of(PoolMode.values());
        double[] expected = {1, 6, 3, 9 / Math.sqrt(3), 23 / 6.0, 6};
        assertArrayEquals(expected, pool(modes, 0, 1, 2, 6), EXACT);
        double[] skipped = {2, 6, 4, 8 / Math.sqrt(2), 22 / 5.0, 6};
        assertArrayEquals(skipped, pool(modes, 1, 1, 2, 6), EXACT);
        assertArrayEquals(new double[6], pool(modes, 3, 1, 2, 6), EXACT);
        assertArrayEquals(new double[] {-7, -7, -7, -7, -7, -7}, pool(modes, 0, -7), EXACT);
        assertArrayEquals(new double[] {6, 1}, pool(List.of(PoolMode.LAST, PoolMode.FIRST), 0, 1, 2, 6), EXACT);
    }

    @Test
    void poolingTakesAncestorsAlong() {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        int start = builder.add(new int[1]);
        builder.add(new int[2], 0, 2, start);
        int other = builder.add(new int[2], 0, 1, start);
        SequenceRows rows = SequenceRows.of(builder.build(), other, start);
        Tensor x = backend.upload(new float[] {3, 7, 8, 6}, 4, 1);
        Tensor out = backend.allocate(2, 1);
        Norm identity = backend.norm(NormParameters.identity(1));
        backend.pool(x, identity, rows, new int[2], List.of(PoolMode.WEIGHTED_MEAN), out);
        assertArrayEquals(new double[] {5, 3}, backend.values(out), EXACT);
    }

    @Test
    void normRowsGathers() {
        Tensor x = backend.upload(new float[] {1, 3, 5, 9}, 2, 2);
        Tensor out = backend.allocate(3, 2);
        backend.normRows(x, new int[] {1, 0, 1}, backend.norm(layer(0f)), out);
        assertArrayEquals(new double[] {-1, 1, -1, 1, -1, 1}, backend.values(out), EXACT);
    }

    @Test
    void logProbabilityIsLogSoftmaxOfTheTarget() {
        float ln3 = (float) Math.log(3);
        Linear head = backend.linear(
                List.of(MatrixRows.all(weights.matrix(2, 1, 0, ln3))), List.of(MatrixRows.all(weights.vector(0, 0))));
        Tensor x = backend.upload(new float[] {1, 1, 0}, 3, 1);
        Tensor out = backend.allocate(3, 1);
        backend.logProbabilities(x, head, new int[] {0, 1, 1}, out);
        double[] expected = {-1.3862943611198906, -0.2876820724517809, -0.6931471805599453};
        assertArrayEquals(expected, backend.values(out), 1e-7);
        assertEquals(3, backend.scoredRows());
    }

    @Test
    void slicesAreViews() {
        try (Tensor x = backend.upload(new float[] {1, 2, 3, 4}, 4, 1)) {
            backend.copy(x.slice(0, 1), x.slice(2, 2).slice(1, 1));
            x.slice(0, 4).close();
            assertArrayEquals(new float[] {1, 2, 3, 1}, backend.download(x));
            assertThrows(IllegalArgumentException.class, () -> x.slice(3, 2));
        }
    }

    @Test
    void newMemoryIsNotANumber() {
        assertTrue(Arrays.stream(backend.values(backend.allocate(2, 3))).allMatch(Double::isNaN));
    }

    @Test
    void storesThroughTheGivenRounding() {
        ReferenceBackend coarse = new ReferenceBackend(Math::rint);
        Tensor x = coarse.upload(new float[] {1.25f}, 1, 1);
        Tensor out = coarse.allocate(1, 1);
        coarse.copy(x, out);
        assertArrayEquals(new double[] {1}, coarse.values(out), EXACT);
    }

    @Test
    void countsWhatIsOpenAndRefusesWhatIsClosed() {
        Tensor x = backend.allocate(1, 1);
        Batch batch = backend.upload(PackedBatch.of(List.of(new int[1])));
        assertEquals(1, backend.openTensors());
        assertEquals(1, backend.openBatches());
        x.close();
        x.close();
        batch.close();
        assertEquals(0, backend.openTensors());
        assertEquals(0, backend.openBatches());
        assertThrows(IllegalStateException.class, () -> backend.download(x));
        backend.close();
        assertThrows(IllegalStateException.class, () -> backend.allocate(1, 1));
    }

    private double[] linear(Linear linear, Activation activation, float... x) {
        Tensor out = backend.allocate(1, linear.out());
        backend.linear(backend.upload(x, 1, x.length), linear, activation, out);
        return backend.values(out);
    }

    private double[] norm(NormParameters parameters, float... x) {
        Tensor out = backend.allocate(1, x.length);
        backend.norm(backend.upload(x, 1, x.length), backend.norm(parameters), out);
        return backend.values(out);
    }

    private double[] rotary(float[] row, int tokens, RotaryParameters parameters) {
        float[] rows = new float[tokens * row.length];
        for (int t = 0; t < tokens; t++) {
            System.arraycopy(row, 0, rows, t * row.length, row.length);
        }
        Tensor qkv = backend.upload(rows, tokens, row.length);
        backend.rotary(qkv, backend.upload(PackedBatch.of(List.of(new int[tokens]))), parameters);
        return backend.values(qkv);
    }

    private double[] pool(List<PoolMode> modes, int skip, float... h) {
        SequenceRows rows = SequenceBatch.of(List.of(new int[h.length])).rows();
        Tensor out = backend.allocate(1, modes.size());
        Norm identity = backend.norm(NormParameters.identity(1));
        backend.pool(backend.upload(h, h.length, 1), identity, rows, new int[] {skip}, modes, out);
        return backend.values(out);
    }

    private static NormParameters layer(float epsilon) {
        return new NormParameters(NormParameters.Kind.LAYER, 2, Optional.empty(), Optional.empty(), epsilon);
    }

    private static NormParameters rms(int columns) {
        return new NormParameters(NormParameters.Kind.RMS, columns, Optional.empty(), Optional.empty(), 0f);
    }
}
