package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Invalid calls throw a specific exception before anything is read or written.
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#plain")
class MisuseContractTest extends BackendContract {
    private static final float[] NO_SLOPES = {};

    MisuseContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void shapesOfTensorsAreChecked() {
        try (Tensor x = backend.upload(new float[12], 3, 4);
                Tensor narrow = backend.allocate(3, 3);
                Tensor shorter = backend.allocate(2, 4)) {
            Norm norm = backend.norm(NormParameters.identity(4));
            Linear linear = linear(3, 4);
            Linear other = linear(3, 5);
            mismatch(() -> backend.upload(new float[11], 3, 4));
            mismatch(() -> backend.norm(x, norm, narrow));
            mismatch(() -> backend.norm(x, norm, shorter));
            mismatch(() -> backend.norm(narrow, norm, narrow));
            mismatch(() -> backend.normAdd(x, norm, narrow));
            mismatch(() -> backend.normAdd(x, norm, shorter));
            mismatch(() -> backend.normAdd(narrow, norm, narrow));
            mismatch(() -> backend.softmax(x, 0));
            mismatch(() -> backend.softmax(x, 3));
            mismatch(() -> backend.softmax(x, 8));
            mismatch(() -> backend.headNorm(x, 1, 1, norm));
            mismatch(() -> backend.headNorm(x, -1, 1, norm));
            mismatch(() -> backend.headNorm(x, 0, 2, norm));
            mismatch(() -> backend.linear(x, linear, Activation.NONE, shorter));
            mismatch(() -> backend.linear(x, other, Activation.NONE, narrow));
            mismatch(() -> backend.linearAdd(x, linear, x));
            mismatch(() -> backend.linearAdd(narrow, linear, narrow));
            mismatch(() -> backend.gatedActivation(x, Activation.SILU, narrow));
            mismatch(() -> backend.copy(x, shorter));
            mismatch(() -> backend.copy(x, narrow));
            mismatch(() -> backend.normRows(x, new int[] {0, 1, 2}, norm, shorter));
            mismatch(() -> backend.logProbabilities(x, other, new int[3], narrow));
            mismatch(() -> backend.logProbabilities(x, linear, new int[3], narrow));
            mismatch(() -> backend.logProbabilities(x, linear, new int[2], shorter));
            for (float softcap : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
                try (Tensor scores = backend.allocate(3, 1)) {
                    mismatch(() -> backend.logProbabilities(x, linear, softcap, new int[3], scores));
                }
            }
            try (Tensor scores = backend.allocate(3, 1)) {
                mismatch(() -> backend.logProbabilities(x, linear, 0, 0, new int[3], scores));
                mismatch(() -> backend.logProbabilities(x, linear, linear.out() + 1, 0, new int[3], scores));
                mismatch(() -> backend.logProbabilities(x, linear, 1, 0, new int[] {0, 1, 0}, scores));
            }
        }
    }

    @Test
    void shapesAgainstBatchesAreChecked() {
        Table table = backend.table(weights.matrix(5, 4, new float[20]));
        Norm norm = backend.norm(NormParameters.identity(4));
        List<PoolMode> mean = List.of(PoolMode.MEAN);
        AttentionParameters attention = new AttentionParameters(2, 1, 1, 1f, 0, NO_SLOPES);
        RotaryParameters rotary = new RotaryParameters(1, 1, 2, 2, true, new double[1], 1f);
        SequenceRows rows = SequenceRows.of(TestData.segments(2, 1), 0, 1);
        try (Batch batch = backend.upload(TestData.segments(2, 1));
                Tensor three = backend.upload(new float[12], 3, 4);
                Tensor two = backend.upload(new float[8], 2, 4);
                Tensor attended = backend.upload(new float[6], 3, 2)) {
            mismatch(() -> backend.embed(table, batch, two));
            mismatch(() -> backend.embed(table, batch, attended));
            mismatch(() -> backend.addPositions(table, 0, batch, two));
            mismatch(() -> backend.rotary(three, batch, rotary));
            mismatch(() -> backend.attention(two, batch, attention, attended));
            mismatch(() -> backend.attention(three, batch, attention, three));
            mismatch(() -> backend.attention(attended, batch, attention, attended));
            mismatch(() -> backend.pool(two, norm, rows, new int[2], mean, two));
            mismatch(() -> backend.pool(three, norm, rows, new int[3], mean, two));
            mismatch(() -> backend.pool(three, norm, rows, new int[] {0, -1}, mean, two));
            mismatch(() -> backend.pool(three, norm, rows, new int[2], mean, three));
            mismatch(() -> backend.pool(three, norm, rows, new int[2], List.of(), two));
            mismatch(() -> backend.pool(three, norm, rows, new int[2], List.of(PoolMode.MAX, PoolMode.MEAN), two));
        }
    }

    @Test
    void bothDirectionsNeedIndependentSequences() {
        AttentionParameters attention = new AttentionParameters(2, 1, 1, 1f, 0, NO_SLOPES, true, 0f);
        int[] lengths = {2, 1};
        for (PackedBatch packed : List.of(
                TestData.tree(0, lengths, new int[] {PackedBatch.NO_PARENT, 0}),
                TestData.tree(1, lengths, new int[] {PackedBatch.NO_PARENT, PackedBatch.NO_PARENT}))) {
            try (Batch batch = backend.upload(packed);
                    Tensor qkv = backend.upload(new float[packed.rows() * 4], packed.rows(), 4);
                    Tensor out = backend.allocate(3, 2)) {
                mismatch(() -> backend.attention(qkv, batch, attention, out));
            }
        }
    }

    @Test
    void shapesOfWeightsAreChecked() {
        MatrixRows threeByFour = MatrixRows.all(weights.matrix(3, 4, new float[12]));
        MatrixRows threeByTwo = MatrixRows.all(weights.matrix(3, 2, new float[6]));
        MatrixRows two = MatrixRows.all(weights.vector(1, 2));
        mismatch(() -> backend.linear(List.of(), List.of()));
        mismatch(() -> backend.linear(List.of(threeByFour, threeByTwo), List.of()));
        mismatch(() -> backend.linear(List.of(threeByFour), List.of(two)));
        mismatch(() -> backend.linear(List.of(threeByFour), List.of(two, two)));
        mismatch(() -> backend.table(weights.vector(1, 2)));
    }

    @Test
    void weightsOfOtherTypesAreRefused() {
        for (ElementType dtype : ElementType.values()) {
            if (!dtype.isWeight()) {
                MatrixRows matrix = MatrixRows.all(weights.zeros(dtype, 2, 2));
                refused(() -> backend.linear(List.of(matrix), List.of()));
                refused(() -> backend.table(weights.zeros(dtype, 2, 2)));
                NormParameters norm = new NormParameters(
                        NormParameters.Kind.RMS, 4, Optional.of(weights.zeros(dtype, 4)), Optional.empty(), 0f);
                refused(() -> backend.norm(norm));
            }
        }
    }

    @Test
    void handlesTellTheirShapes() {
        Linear linear =
                backend.linear(List.of(MatrixRows.allTransposed(weights.matrix(4, 3, new float[12]))), List.of());
        assertEquals(4, linear.in());
        assertEquals(3, linear.out());
        Table table = backend.table(weights.matrix(5, 4, new float[20]));
        assertEquals(5, table.rows());
        assertEquals(4, table.columns());
        assertEquals(7, backend.norm(NormParameters.identity(7)).columns());
        PackedBatch packed = TestData.segments(2, 1);
        try (Batch batch = backend.upload(packed);
                Tensor x = backend.allocate(6, 5)) {
            assertEquals(packed, batch.packed());
            assertEquals(6, x.rows());
            assertEquals(5, x.columns());
            assertEquals(2, x.slice(3, 2).rows());
            assertEquals(5, x.slice(3, 2).columns());
        }
    }

    @Test
    void slicesStayWithinTheirTensor() {
        try (Tensor x = backend.upload(new float[] {0, 1, 2, 3, 4, 5}, 6, 1)) {
            mismatch(() -> x.slice(-1, 2));
            mismatch(() -> x.slice(5, 2));
            mismatch(() -> x.slice(0, 7));
            mismatch(() -> x.slice(2, 3).slice(2, 2));
            mismatch(() -> x.slice(1, Integer.MAX_VALUE));
            assertEquals(4f, backend.download(x.slice(2, 3).slice(2, 1))[0]);
            x.slice(2, 3).close();
            assertEquals(6, backend.download(x).length);
        }
    }

    @Test
    void closedTensorsAreRefused() {
        Tensor x = backend.upload(new float[4], 2, 2);
        Tensor view = x.slice(0, 1);
        x.close();
        x.close();
        closed(() -> backend.download(x));
        closed(() -> backend.download(view));
        closed(() -> backend.norm(x, backend.norm(NormParameters.identity(2)), x));
    }

    @Test
    void closedBackendsAreRefused() {
        Backend other = subject.open().get();
        Tensor x = other.upload(new float[4], 2, 2);
        other.close();
        other.close();
        closed(() -> other.allocate(1, 1));
        closed(() -> other.copy(x, x));
    }

    @Test
    void handlesOfAnotherBackendAreRefused() {
        try (Tensor own = backend.upload(new float[4], 2, 2);
                Tensor foreign = new ForeignTensor()) {
            assertThrows(ClassCastException.class, () -> backend.copy(foreign, own));
            assertThrows(ClassCastException.class, () -> backend.download(foreign));
        }
    }

    private record ForeignTensor() implements Tensor {
        @Override
        public int rows() {
            return 2;
        }

        @Override
        public int columns() {
            return 2;
        }

        @Override
        public Tensor slice(int from, int count) {
            return this;
        }

        @Override
        public void close() {}
    }

    private Linear linear(int out, int in) {
        return backend.linear(List.of(MatrixRows.all(weights.matrix(out, in, new float[out * in]))), List.of());
    }

    private static void mismatch(Executable call) {
        assertThrows(IllegalArgumentException.class, call);
    }

    /// Files are checked when weights are opened, so here either of the two exceptions is right, as
    /// long as it is thrown when the handle is created.
    private static void refused(Executable call) {
        RuntimeException thrown = assertThrows(RuntimeException.class, call);
        assertTrue(thrown instanceof IllegalArgumentException || thrown instanceof BackendException, thrown::toString);
    }

    private static void closed(Executable call) {
        assertThrows(IllegalStateException.class, call);
    }
}
