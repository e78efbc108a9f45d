package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Invalid calls of training throw a specific exception before anything is read or written.
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#plain")
class BackwardMisuseContractTest extends BackwardContract {
    private static final float[] NO_SLOPES = {};

    BackwardMisuseContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void shapesOfTensorsAreChecked() {
        try (Tensor x = backend.upload(new float[12], 3, 4);
                Tensor narrow = backend.upload(new float[9], 3, 3);
                Tensor shorter = backend.upload(new float[8], 2, 4);
                Tensor wide = backend.upload(new float[24], 3, 8)) {
            Norm norm = layer(4);
            Linear linear = backend.linear(List.of(MatrixRows.all(weights.matrix(3, 4, new float[12]))), List.of());
            mismatch(() -> backward.linear(x, linear, false, x));
            mismatch(() -> backward.linear(narrow, linear, false, narrow));
            mismatch(() -> backward.linear(narrow, linear, true, shorter));
            mismatch(() -> backward.activate(x, Activation.GELU, narrow));
            mismatch(() -> backward.activate(x, Activation.GELU, shorter));
            mismatch(() -> backward.activation(x, Activation.GELU, narrow));
            mismatch(() -> backward.activation(x, Activation.GELU, shorter));
            mismatch(() -> backward.gatedActivation(x, Activation.SILU, x, wide));
            mismatch(() -> backward.gatedActivation(wide, Activation.SILU, x, x));
            mismatch(() -> backward.gatedActivation(wide, Activation.SILU, shorter, wide));
            mismatch(() -> backward.norm(narrow, norm, x, false, x));
            mismatch(() -> backward.norm(x, norm, narrow, false, x));
            mismatch(() -> backward.norm(x, norm, x, false, shorter));
            mismatch(() -> backward.headNorm(x, 1, 1, norm, x));
            mismatch(() -> backward.headNorm(x, -1, 1, norm, x));
            mismatch(() -> backward.headNorm(x, 0, -1, norm, x));
            mismatch(() -> backward.headNorm(wide, 0, Integer.MAX_VALUE, norm, wide));
            mismatch(() -> backward.headNorm(wide, 0, 2, norm, x));
        }
    }

    @Test
    void shapesAgainstBatchesAreChecked() {
        AttentionParameters attention = new AttentionParameters(2, 1, 1, 1f, 0, NO_SLOPES);
        SequenceRows rows = SequenceRows.of(TestData.segments(2, 1), 0, 1);
        List<PoolMode> mean = List.of(PoolMode.MEAN);
        Norm norm = layer(4);
        try (Batch batch = backend.upload(TestData.segments(2, 1));
                Tensor three = backend.upload(new float[12], 3, 4);
                Tensor two = backend.upload(new float[8], 2, 4);
                Tensor attended = backend.upload(new float[6], 3, 2)) {
            mismatch(() -> backward.attention(two, batch, attention, attended, attended, three));
            mismatch(() -> backward.attention(three, batch, attention, three, attended, three));
            mismatch(() -> backward.attention(three, batch, attention, attended, three, three));
            mismatch(() -> backward.attention(three, batch, attention, attended, attended, attended));
            mismatch(() -> backward.pool(two, norm, rows, new int[2], mean, two, two));
            mismatch(() -> backward.pool(three, norm, rows, new int[3], mean, two, three));
            mismatch(() -> backward.pool(three, norm, rows, new int[] {0, -1}, mean, two, three));
            mismatch(() -> backward.pool(three, norm, rows, new int[2], mean, three, three));
            mismatch(() -> backward.pool(three, norm, rows, new int[2], mean, two, two));
            mismatch(() -> backward.pool(three, norm, rows, new int[2], List.of(), two, three));
            mismatch(() -> backward.pool(three, norm, rows.at(new int[] {0, 1, 3}), new int[2], mean, two, three));
        }
    }

    @Test
    void rowsThatRepeatAreRefused() {
        SequenceRows repeated = SequenceRows.of(TestData.segments(2, 1), 0, 1).at(new int[] {1, 0, 1});
        try (Tensor x = backend.upload(new float[12], 3, 4);
                Tensor d = backend.upload(new float[8], 2, 4)) {
            mismatch(() -> backward.pool(x, layer(4), repeated, new int[2], List.of(PoolMode.MEAN), d, x));
        }
    }

    @Test
    void treesAndCachedTokensAreRefused() {
        int[] lengths = {2, 1};
        AttentionParameters attention = new AttentionParameters(2, 1, 1, 1f, 0, NO_SLOPES);
        for (PackedBatch packed : List.of(
                TestData.tree(0, lengths, new int[] {PackedBatch.NO_PARENT, 0}),
                TestData.tree(1, lengths, new int[] {PackedBatch.NO_PARENT, PackedBatch.NO_PARENT}))) {
            try (Batch batch = backend.upload(packed);
                    Tensor qkv = backend.upload(new float[packed.rows() * 4], packed.rows(), 4);
                    Tensor x = backend.upload(new float[6], 3, 2);
                    Sums sums = backward.sums(5, 2)) {
                mismatch(() -> backward.attention(qkv, batch, attention, x, x, qkv));
                mismatch(() -> backward.embeddingSums(batch, x, sums));
                mismatch(() -> backward.positionSums(0, batch, x, sums));
            }
        }
    }

    @Test
    void attentionWithoutGradientIsRefused() {
        try (Batch batch = backend.upload(TestData.segments(2, 1));
                Tensor qkv = backend.upload(new float[12], 3, 4);
                Tensor x = backend.upload(new float[6], 3, 2)) {
            AttentionParameters both = new AttentionParameters(2, 1, 1, 1f, 0, NO_SLOPES, true, 0f);
            AttentionParameters bounded = new AttentionParameters(2, 1, 1, 1f, 0, NO_SLOPES, false, 5f);
            mismatch(() -> backward.attention(qkv, batch, both, x, x, qkv));
            mismatch(() -> backward.attention(qkv, batch, bounded, x, x, qkv));
        }
    }

    @Test
    void shapesOfSumsAreChecked() {
        try (Batch batch = backend.upload(TestData.segments(2, 1));
                Tensor x = backend.upload(new float[12], 3, 4);
                Tensor d = backend.upload(new float[6], 3, 2);
                Tensor shorter = backend.upload(new float[8], 2, 4);
                Sums four = backward.sums(1, 4);
                Sums two = backward.sums(1, 2);
                Sums square = backward.sums(2, 2);
                Sums matrix = backward.sums(2, 4)) {
            mismatch(() -> backward.sums(0, 1));
            mismatch(() -> backward.sums(1, 0));
            mismatch(() -> backward.columnSums(x, two));
            mismatch(() -> backward.columnSums(x, matrix));
            mismatch(() -> backward.gainSums(x, layer(4), x, two));
            mismatch(() -> backward.gainSums(x, layer(4), x, matrix));
            mismatch(() -> backward.gainSums(x, layer(4), shorter, four));
            mismatch(() -> backward.gainSums(d, layer(4), x, four));
            mismatch(() -> backward.headGainSums(x, 0, 2, layer(2), x, four));
            mismatch(() -> backward.headGainSums(x, 1, 2, layer(2), x, two));
            mismatch(() -> backward.headGainSums(x, 0, 2, layer(2), shorter, two));
            mismatch(() -> backward.weightSums(x, d, square));
            mismatch(() -> backward.weightSums(d, x, matrix));
            mismatch(() -> backward.weightSums(shorter, d, matrix));
            mismatch(() -> backward.embeddingSums(batch, shorter, matrix));
            mismatch(() -> backward.embeddingSums(batch, d, matrix));
            mismatch(() -> backward.positionSums(0, batch, shorter, matrix));
            mismatch(() -> matrix.read(2, new double[4]));
            mismatch(() -> matrix.read(-1, new double[4]));
            mismatch(() -> matrix.read(0, new double[3]));
            for (Sums sums : List.of(four, two, square, matrix)) {
                assertArrayEquals(new double[sums.rows() * sums.columns()], values(sums));
            }
        }
    }

    @Test
    void rowsBeyondTheTableAreRefused() {
        try (Batch batch = backend.upload(PackedBatch.of(List.of(new int[] {0, 3})));
                Tensor d = backend.upload(new float[] {1, 2, 3, 4}, 2, 2);
                Sums sums = backward.sums(3, 2)) {
            mismatch(() -> backward.embeddingSums(batch, d, sums));
            mismatch(() -> backward.positionSums(2, batch, d, sums));
            mismatch(() -> backward.positionSums(-1, batch, d, sums));
            mismatch(() -> backward.positionSums(Integer.MAX_VALUE, batch, d, sums));
            assertArrayEquals(new double[6], values(sums));
        }
    }

    @Test
    void theIdentityHasNoGain() {
        Norm identity = backend.norm(NormParameters.identity(4));
        try (Tensor x = backend.upload(new float[12], 3, 4);
                Sums sums = backward.sums(1, 4)) {
            mismatch(() -> backward.gainSums(x, identity, x, sums));
            mismatch(() -> backward.headGainSums(x, 0, 1, identity, x, sums));
        }
    }

    @Test
    void closedSumsAreRefused() {
        try (Tensor x = backend.upload(new float[12], 3, 4)) {
            for (int rows : new int[] {1, 4}) {
                Sums sums = backward.sums(rows, 4);
                sums.close();
                sums.close();
                closed(sums::clear);
                closed(() -> sums.read(0, new double[4]));
                closed(() -> backward.weightSums(x, rows == 4 ? x : narrow(), sums));
            }
        }
    }

    private Tensor narrow() {
        return backend.upload(new float[3], 3, 1);
    }

    @Test
    void closedBackendsAreRefused() {
        Backend other = subject.open().get();
        Backward training = other.backward().orElseThrow();
        Tensor x = other.upload(new float[4], 2, 2);
        Norm norm = other.norm(NormParameters.identity(2));
        Linear linear = other.linear(List.of(MatrixRows.all(weights.matrix(2, 2, 1, 2, 3, 4))), List.of());
        other.close();
        closed(() -> training.sums(1, 1));
        closed(() -> training.norm(x, norm, x, false, x));
        closed(() -> training.linear(x, linear, false, x));
        closed(() -> training.reload(linear));
        closed(() -> training.reloadBias(linear));
        closed(() -> training.reload(norm));
    }

    private Norm layer(int columns) {
        return backend.norm(
                new NormParameters(NormParameters.Kind.LAYER, columns, Optional.empty(), Optional.empty(), 1e-5f));
    }

    private static void mismatch(Executable call) {
        assertThrows(IllegalArgumentException.class, call);
    }

    private static void closed(Executable call) {
        assertThrows(IllegalStateException.class, call);
    }
}
