package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.tensor.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#plain")
class PoolBackwardContractTest extends BackwardContract {
    private static final List<PoolMode> ALL = List.of(PoolMode.values());

    PoolBackwardContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void everyWidthInEveryMode() {
        PackedBatch packed = TestData.segments(1, 5, 2, 33);
        for (int hidden : TestData.SIZES) {
            pool(packed, layer(hidden), new int[4], ALL);
        }
    }

    @Test
    void everyLength() {
        for (int length : new int[] {1, 2, 3, 7, 8, 31, 32, 33, 100, 257, 1000}) {
            pool(TestData.segments(length), layer(19), new int[1], ALL);
        }
    }

    @Test
    void everyKindOfNorm() {
        PackedBatch packed = TestData.segments(3, 1, 20);
        for (NormParameters.Kind kind : NormParameters.Kind.values()) {
            NormParameters norm = new NormParameters(kind, 48, Optional.empty(), Optional.empty(), 1e-5f);
            pool(packed, norm, new int[3], ALL);
        }
    }

    @Test
    void modesInTheGivenOrder() {
        PackedBatch packed = TestData.segments(3, 1, 20);
        for (PoolMode first : PoolMode.values()) {
            pool(packed, layer(33), new int[3], List.of(first));
            for (PoolMode second : PoolMode.values()) {
                pool(packed, layer(33), new int[3], List.of(first, second));
            }
        }
    }

    @Test
    void skippedTokensHaveNoGradient() {
        pool(TestData.segments(7, 7, 7, 7, 1, 40), layer(33), new int[] {0, 1, 6, 3, 0, 17}, ALL);
        pool(TestData.segments(7, 4, 1, 2), layer(33), new int[] {7, 100, 1, 0}, ALL);
        for (PoolMode mode : PoolMode.values()) {
            pool(TestData.segments(7, 4, 1, 2), layer(5), new int[] {0, 4, 1, Integer.MAX_VALUE}, List.of(mode));
        }
    }

    @Test
    void rowsOfNoSequenceHaveNoGradient() {
        PackedBatch packed = TestData.segments(5, 2, 30, 4, 70);
        pool(packed, SequenceRows.of(packed, 4, 1, 2), layer(24), new int[] {3, 0, 2}, ALL);
        SequenceRows scattered = SequenceRows.of(TestData.segments(3, 2), 0, 1).at(new int[] {9, 2, 4, 100, 0});
        pool(packed, scattered, layer(24), new int[] {1, 0}, ALL);
    }

    @Test
    void manySegments() {
        int[] lengths = new int[100];
        Arrays.setAll(lengths, s -> 1 + s * 7 % 13);
        pool(TestData.segments(lengths), layer(65), data.integers(100, 3), List.of(PoolMode.WEIGHTED_MEAN));
        pool(TestData.segments(lengths), layer(65), data.integers(100, 3), List.of(PoolMode.MAX, PoolMode.LAST));
    }

    @Test
    void theFirstOfEqualMaximaGetsTheGradient() {
        float[] x = {1, 5, 5, 5, 3, 5, 2, -1, -1, -1};
        SequenceRows sequences = SequenceRows.of(TestData.segments(5, 2), 0, 1);
        compare("equal maxima", Tolerance.EXACT, side -> {
            Tensor dNormed = side.out(10, 1);
            Norm identity = side.backend().norm(NormParameters.identity(1));
            Tensor dOut = side.in(new float[] {2, 3}, 2, 1);
            backward(side)
                    .pool(
                            side.in(x, 10, 1),
                            identity,
                            sequences,
                            new int[] {1, 0},
                            List.of(PoolMode.MAX),
                            dOut,
                            dNormed);
            return dNormed;
        });
    }

    private NormParameters layer(int hidden) {
        return new NormParameters(
                NormParameters.Kind.LAYER,
                hidden,
                Optional.of(weights.tensor(ElementType.BF16, data.normal(hidden, 1, 0.3), hidden)),
                Optional.of(weights.tensor(ElementType.F32, data.normal(hidden, 0, 0.3), hidden)),
                1e-5f);
    }

    private void pool(PackedBatch packed, NormParameters norm, int[] skip, List<PoolMode> modes) {
        int[] all = IntStream.range(0, packed.segments()).toArray();
        pool(packed, SequenceRows.of(packed, all), norm, skip, modes);
    }

    private void pool(
            PackedBatch packed, SequenceRows sequences, NormParameters norm, int[] skip, List<PoolMode> modes) {
        int hidden = norm.columns();
        float[] x = data.normal(packed.tokens() * hidden);
        float[] dOut = data.normal(sequences.count() * modes.size() * hidden);
        String what = "gradient of pool %s of %d columns, skip %s, %s"
                .formatted(modes, hidden, Arrays.toString(skip), packed);
        compare(what, side -> {
            Tensor dNormed = side.out(packed.tokens(), hidden);
            backward(side)
                    .pool(
                            side.in(x, packed.tokens(), hidden),
                            side.backend().norm(norm),
                            sequences,
                            skip,
                            modes,
                            side.in(dOut, sequences.count(), modes.size() * hidden),
                            dNormed);
            return dNormed;
        });
    }
}
