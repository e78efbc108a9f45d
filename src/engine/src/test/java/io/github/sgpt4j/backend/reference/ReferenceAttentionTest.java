package io.github.sgpt4j.backend.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Attention over a few keys whose softmax can be computed by hand.
class ReferenceAttentionTest {
    private static final float LN2 = (float) Math.log(2);
    private static final float LN3 = (float) Math.log(3);
    private static final float[] NO_SLOPES = {};
    /// Far above the error of rounding the logarithms above to `float`, far below any mistake.
    private static final double TOLERANCE = 1e-5;

    private final ReferenceBackend backend = new ReferenceBackend();

    /// Query and key that score ln 3 against each other and 0 against the first token's key.
    private static final float[] TWO_TOKENS = {
        7, 0, 10, //
        1, LN3, 20,
    };

    @Test
    void weighsValuesBySoftmaxOfScores() {
        assertArrayEquals(new double[] {10, 17.5}, attend(single(2), 1, 1, 1, 1f, 0, NO_SLOPES, TWO_TOKENS), TOLERANCE);
    }

    @Test
    void multipliesScoresByScale() {
        assertArrayEquals(new double[] {10, 19}, attend(single(2), 1, 1, 1, 2f, 0, NO_SLOPES, TWO_TOKENS), TOLERANCE);
    }

    @Test
    void slopeMakesDistantKeysWeaker() {
        // e^(−ln 2) : e^(ln 3) = 1/2 : 3
        double[] expected = {10, (0.5 * 10 + 3 * 20) / 3.5};
        assertArrayEquals(expected, attend(single(2), 1, 1, 1, 1f, 0, new float[] {LN2}, TWO_TOKENS), TOLERANCE);
    }

    @Test
    void windowCountsTheTokenItself() {
        float[] values = {
            0, 0, 1, //
            0, 0, 3, //
            0, 0, 8,
        };
        assertArrayEquals(new double[] {1, 3, 8}, attend(single(3), 1, 1, 1, 1f, 1, NO_SLOPES, values), TOLERANCE);
        assertArrayEquals(new double[] {1, 2, 5.5}, attend(single(3), 1, 1, 1, 1f, 2, NO_SLOPES, values), TOLERANCE);
        assertArrayEquals(new double[] {1, 2, 4}, attend(single(3), 1, 1, 1, 1f, 3, NO_SLOPES, values), TOLERANCE);
        assertArrayEquals(new double[] {1, 2, 4}, attend(single(3), 1, 1, 1, 1f, 9, NO_SLOPES, values), TOLERANCE);
    }

    @Test
    void scoreIsTheDotProductOverTheHead() {
        float[] qkv = {
            0, 0, 1, 0, 1, 2, //
            LN2, LN3, 0, 1, 5, 8,
        };
        // scores ln 2 and ln 3
        double[] expected = {1, 2, 0.4 * 1 + 0.6 * 5, 0.4 * 2 + 0.6 * 8};
        assertArrayEquals(expected, attend(single(2), 1, 1, 2, 1f, 0, NO_SLOPES, qkv), TOLERANCE);
    }

    @Test
    void headsReadTheKeysAndValuesOfTheirGroup() {
        float[] oneToken = {0, 0, 0, 0, 0, 0, 5, 6};
        assertArrayEquals(new double[] {5, 5, 6, 6}, attend(single(1), 4, 2, 1, 1f, 0, NO_SLOPES, oneToken), TOLERANCE);
    }

    @Test
    void segmentsDoNotSeeEachOther() {
        PackedBatchBuilder two = new PackedBatchBuilder();
        two.add(new int[1]);
        two.add(new int[1]);
        assertArrayEquals(new double[] {10, 20}, attend(two.build(), 1, 1, 1, 1f, 0, NO_SLOPES, TWO_TOKENS), TOLERANCE);
    }

    @Test
    void childSegmentsSeeTheirAncestorsOnly() {
        float[] qkv = {0, 0, 1, 0, 0, 2, 0, 0, 6, 0, 0, 9, 0, 0, 12, 0, 0, 3};
        double[] all = {1, 1.5, 3, 4, 6, 3};
        assertArrayEquals(all, attend(tree(), 1, 1, 1, 1f, 0, NO_SLOPES, qkv), TOLERANCE);
        double[] lastTwo = {1, 1.5, 4, 5.5, 10.5, 4.5};
        assertArrayEquals(lastTwo, attend(tree(), 1, 1, 1, 1f, 2, NO_SLOPES, qkv), TOLERANCE);
    }

    @Test
    void slopesCountPositionsFromTheStartOfTheWholeSequence() {
        float[] qkv = {0, 0, 1, 0, 0, 2, 0, 0, 6, 0, 0, 9, 0, 0, 12, 0, 0, 3};
        // weights 2^(j − i): last row 1/8, 1/4, 1/2, 1 over values 1, 2, 6, 3
        double[] expected = {1, 2.5 / 1.5, 7.25 / 1.75, 10.25 / 1.75, 17.125 / 1.875, 6.625 / 1.875};
        assertArrayEquals(expected, attend(tree(), 1, 1, 1, 1f, 0, new float[] {LN2}, qkv), TOLERANCE);
    }

    @Test
    void cachedRowsGiveKeysAndValuesWithoutQueries() {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        int cached = builder.addCached(2);
        builder.add(new int[1], 0, 1, cached);
        builder.add(new int[1]);
        float[] qkv = {Float.NaN, 0, 1, Float.NaN, 0, 2, 0, 0, 6, 0, 0, 9};
        assertArrayEquals(new double[] {3, 9}, attend(builder.build(), 1, 1, 1, 1f, 0, NO_SLOPES, qkv), TOLERANCE);
    }

    private static PackedBatch single(int tokens) {
        return PackedBatch.of(List.of(new int[tokens]));
    }

    /// Root of two tokens; children of one and two; a grandchild of one under the first child.
    private static PackedBatch tree() {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        int root = builder.add(new int[2]);
        int child = builder.add(new int[1], 0, 1, root);
        builder.add(new int[2], 0, 2, root);
        builder.add(new int[1], 0, 1, child);
        return builder.build();
    }

    private double[] attend(
            PackedBatch packed,
            int heads,
            int kvHeads,
            int headDim,
            float scale,
            int window,
            float[] slopes,
            float[] qkv) {
        AttentionParameters parameters = new AttentionParameters(heads, kvHeads, headDim, scale, window, slopes);
        try (Batch batch = backend.upload(packed);
                Tensor x = backend.upload(qkv, packed.rows(), parameters.qkvColumns());
                Tensor out = backend.allocate(packed.tokens(), heads * headDim)) {
            backend.attention(x, batch, parameters, out);
            return backend.values(out);
        }
    }
}
