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
class PoolContractTest extends BackendContract {
    private static final List<PoolMode> ALL = List.of(PoolMode.values());

    PoolContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void poolsEveryWidthInEveryMode() {
        PackedBatch packed = TestData.segments(1, 5, 2, 33);
        for (int hidden : TestData.SIZES) {
            pool(packed, layer(hidden), new int[4], ALL);
        }
    }

    @Test
    void poolsEveryLength() {
        for (int length : new int[] {1, 2, 3, 7, 8, 31, 32, 33, 100, 257, 1000}) {
            pool(TestData.segments(length), layer(19), new int[1], ALL);
        }
    }

    @Test
    void poolsEveryKindOfNorm() {
        PackedBatch packed = TestData.segments(3, 1, 20);
        for (NormParameters.Kind kind : NormParameters.Kind.values()) {
            NormParameters norm = new NormParameters(kind, 48, Optional.empty(), Optional.empty(), 1e-5f);
            pool(packed, norm, new int[3], ALL);
        }
        NormParameters layer = layer(48);
        NormParameters fromOne =
                new NormParameters(NormParameters.Kind.RMS, 48, layer.gain(), Optional.empty(), 1e-6f, true);
        pool(packed, fromOne, new int[3], ALL);
    }

    @Test
    void concatenatesModesInTheGivenOrder() {
        PackedBatch packed = TestData.segments(3, 1, 20);
        for (PoolMode first : PoolMode.values()) {
            pool(packed, layer(33), new int[3], List.of(first));
            for (PoolMode second : PoolMode.values()) {
                pool(packed, layer(33), new int[3], List.of(first, second));
            }
        }
        pool(packed, layer(16), new int[3], List.of(PoolMode.LAST, PoolMode.MAX, PoolMode.FIRST, PoolMode.MEAN));
    }

    @Test
    void leavesSkippedTokensOutAndCountsPositionsOn() {
        PackedBatch packed = TestData.segments(7, 7, 7, 7, 1, 40);
        pool(packed, layer(33), new int[] {0, 1, 6, 3, 0, 17}, ALL);
    }

    @Test
    void givesZerosWhereNothingIsLeft() {
        PackedBatch packed = TestData.segments(7, 4, 1, 2);
        pool(packed, layer(33), new int[] {7, 100, 1, 0}, ALL);
        for (PoolMode mode : PoolMode.values()) {
            pool(packed, layer(5), new int[] {0, 4, 1, Integer.MAX_VALUE}, List.of(mode));
        }
    }

    @Test
    void poolsWholeSequencesOfTrees() {
        int[] lengths = {5, 2, 30, 4, 70};
        int[] parents = {PackedBatch.NO_PARENT, 0, 1, 0, 2};
        pool(TestData.tree(0, lengths, parents), layer(24), new int[] {0, 1, 2, 0, 6}, ALL);
        PackedBatch tree = TestData.tree(0, lengths, parents);
        SequenceRows some = SequenceRows.of(tree, 4, 1, 1, 2);
        pool(
                tree,
                some,
                layer(24),
                new int[] {3, 0, 2, 100},
                ALL,
                data.normal(tree.tokens() * 24),
                tolerance.scaled(10));
    }

    @Test
    void poolsManySegments() {
        int[] lengths = new int[100];
        Arrays.setAll(lengths, s -> 1 + s * 7 % 13);
        pool(TestData.segments(lengths), layer(65), data.integers(100, 3), List.of(PoolMode.WEIGHTED_MEAN));
        pool(TestData.segments(lengths), layer(65), data.integers(100, 3), List.of(PoolMode.MAX, PoolMode.LAST));
    }

    @Test
    void maximumOfNegativeValuesIsNegative() {
        NormParameters norm = NormParameters.identity(17);
        PackedBatch packed = TestData.segments(5, 1, 16);
        pool(packed, norm, new int[] {0, 0, 3}, ALL, data.normal(packed.tokens() * 17, -50, 1), tolerance.scaled(50));
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
        // a sum over √length grows with the square root of the length
        int longest = 1;
        for (int s = 0; s < packed.segments(); s++) {
            longest = Math.max(longest, packed.depth(s) + packed.length(s));
        }
        double size = modes.contains(PoolMode.MEAN_SQRT_LENGTH) ? Math.sqrt(longest) : 1;
        pool(packed, norm, skip, modes, data.normal(packed.tokens() * norm.columns()), tolerance.scaled(size));
    }

    private void pool(
            PackedBatch packed, NormParameters norm, int[] skip, List<PoolMode> modes, float[] x, Tolerance allowed) {
        int[] all = IntStream.range(0, packed.segments()).toArray();
        pool(packed, SequenceRows.of(packed, all), norm, skip, modes, x, allowed);
    }

    private void pool(
            PackedBatch packed,
            SequenceRows sequences,
            NormParameters norm,
            int[] skip,
            List<PoolMode> modes,
            float[] x,
            Tolerance allowed) {
        String what =
                "pool %s of %d columns, skip %s, %s".formatted(modes, norm.columns(), Arrays.toString(skip), packed);
        compare(what, allowed, side -> {
            Tensor out = side.out(sequences.count(), modes.size() * norm.columns());
            Tensor hidden = side.in(x, packed.tokens(), norm.columns());
            side.backend().pool(hidden, side.backend().norm(norm), sequences, skip, modes, out);
            return out;
        });
    }
}
