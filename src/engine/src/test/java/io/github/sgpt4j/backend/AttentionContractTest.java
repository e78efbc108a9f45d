package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#withInnerTypes")
class AttentionContractTest extends BackendContract {
    private static final int[] HEAD_SIZES = {1, 2, 3, 8, 16, 24, 32, 40, 64, 80, 96, 128, 256};
    private static final float[] NO_SLOPES = {};
    private static final int NO_PARENT = PackedBatch.NO_PARENT;

    AttentionContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void attendsWithEveryHeadSize() {
        PackedBatch packed = TestData.segments(1, 2, 33, 5, 31, 32, 1);
        for (int headDim : HEAD_SIZES) {
            attend(packed, heads(2, 2, headDim, 0, NO_SLOPES));
        }
    }

    @Test
    void attendsOverEveryLength() {
        for (int length : new int[] {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 257}) {
            attend(TestData.segments(length), heads(1, 1, 16, 0, NO_SLOPES));
        }
        attend(TestData.segments(1000), heads(1, 1, 64, 0, NO_SLOPES));
        attend(TestData.segments(600, 401), heads(2, 1, 24, 0, NO_SLOPES));
    }

    @Test
    void attendsWithinTheWindow() {
        PackedBatch packed = TestData.segments(1, 7, 8, 9, 33, 100);
        for (int window : new int[] {1, 2, 3, 8, 31, 32, 33, 5000}) {
            attend(packed, heads(2, 2, 16, window, NO_SLOPES));
        }
        for (int window : new int[] {1, 200, 255, 256, 257, 600}) {
            attend(TestData.segments(256, 257, 520), heads(1, 1, 8, window, NO_SLOPES));
        }
    }

    @Test
    void groupsOfQueryHeadsShareKeysAndValues() {
        PackedBatch packed = TestData.segments(3, 40, 17);
        for (int kvHeads : new int[] {1, 2, 4, 8}) {
            attend(packed, heads(8, kvHeads, 24, 0, NO_SLOPES));
        }
        attend(packed, heads(6, 2, 10, 7, NO_SLOPES));
        attend(packed, heads(3, 1, 64, 0, slopes(3)));
    }

    @Test
    void slopesPenaliseDistance() {
        attend(TestData.segments(1, 2, 33, 100), heads(4, 4, 16, 0, slopes(4)));
        attend(TestData.segments(700), heads(2, 2, 8, 0, slopes(2)));
        attend(TestData.segments(100, 12), heads(4, 2, 16, 20, slopes(4)));
        attend(TestData.segments(50), heads(3, 3, 5, 0, new float[] {0f, 1f, 0.001f}));
    }

    @Test
    void attendsInManySmallSegments() {
        int[] lengths = new int[150];
        Arrays.setAll(lengths, s -> 1 + s % 7);
        attend(TestData.segments(lengths), heads(2, 2, 16, 0, NO_SLOPES));
        attend(TestData.segments(lengths), heads(2, 1, 16, 3, slopes(2)));
    }

    @Test
    void segmentsContinueTheirAncestors() {
        int[] parents = {NO_PARENT, 0, 0, 1, 3, NO_PARENT, 5, 2};
        int[] lengths = {9, 5, 17, 4, 1, 33, 40, 2};
        PackedBatch packed = TestData.tree(0, lengths, parents);
        attend(packed, heads(2, 2, 16, 0, NO_SLOPES));
        attend(packed, heads(4, 2, 24, 0, slopes(4)));
        for (int window : new int[] {1, 2, 5, 6, 8, 16, 100}) {
            attend(packed, heads(2, 1, 8, window, NO_SLOPES));
        }
        attend(packed, heads(4, 4, 3, 7, slopes(4)));
        attend(
                TestData.tree(0, new int[] {300, 70, 65, 1, 128}, new int[] {NO_PARENT, 0, 0, 1, 1}),
                heads(1, 1, 64, 0, NO_SLOPES));
    }

    @Test
    void cachedRowsNeedNoQueries() {
        int[] lengths = {5, 1, 12, 3, 20};
        int[] parents = {0, 0, 1, NO_PARENT, 3};
        for (int cached : new int[] {1, 8, 33, 130}) {
            PackedBatch packed = TestData.tree(cached, lengths, parents);
            attend(packed, heads(2, 2, 16, 0, NO_SLOPES));
            attend(packed, heads(2, 1, 24, 0, slopes(2)));
            attend(packed, heads(2, 2, 8, 6, NO_SLOPES));
        }
    }

    @Test
    void attendsOverRandomTrees() {
        for (int i = 0; i < 60; i++) {
            int cached = data.below(3) == 0 ? 1 + data.below(200) : 0;
            int first = cached > 0 ? 1 : 0;
            int[] lengths = new int[1 + data.below(8)];
            int[] parents = new int[lengths.length];
            for (int s = 0; s < lengths.length; s++) {
                lengths[s] = 1 + data.below(data.flip() ? 8 : 160);
                parents[s] = data.below(s + first + 1) - 1;
            }
            int kvHeads = 1 + data.below(3);
            int heads = kvHeads * (1 + data.below(3));
            int window = data.flip() ? 0 : 1 + data.below(data.flip() ? 12 : 200);
            float[] slopes = data.flip() ? NO_SLOPES : slopes(heads);
            attend(TestData.tree(cached, lengths, parents), heads(heads, kvHeads, 1 + data.below(20), window, slopes));
        }
    }

    @Test
    void softmaxIsStableForLargeScores() {
        PackedBatch packed = TestData.segments(1, 2, 40, 100);
        for (double size : new double[] {4, 12, 40}) {
            AttentionParameters parameters = new AttentionParameters(2, 2, 64, 1f, 0, NO_SLOPES);
            float[] qkv = qkv(packed, parameters, size);
            // scores are sums of 64 products with deviation size² · 8; their rounding moves probabilities
            attend("scores of size " + size * size * 8, tolerance.scaled(size * size), packed, parameters, qkv);
        }
    }

    @Test
    void equalKeysGiveTheMeanOfValues() {
        PackedBatch packed = TestData.segments(1, 33, 100);
        AttentionParameters parameters = heads(1, 1, 16, 0, NO_SLOPES);
        float[] qkv = data.normal(packed.rows() * 48);
        for (int row = 0; row < packed.rows(); row++) {
            Arrays.fill(qkv, row * 48 + 16, row * 48 + 32, 2f);
        }
        attend("equal keys", tolerance, packed, parameters, qkv);
        for (int row = 0; row < packed.rows(); row++) {
            Arrays.fill(qkv, row * 48, row * 48 + 16, -1000f);
        }
        attend("equal keys, scores of -8000", tolerance, packed, parameters, qkv);
    }

    @Test
    void attendsInBothDirectionsWithEveryHeadSize() {
        PackedBatch packed = TestData.segments(1, 2, 33, 5, 31, 32, 1);
        for (int headDim : HEAD_SIZES) {
            attend(packed, bothWays(heads(2, 2, headDim, 0, NO_SLOPES), 0));
        }
    }

    @Test
    void attendsInBothDirectionsOverEveryLength() {
        for (int length : new int[] {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 257}) {
            attend(TestData.segments(length), bothWays(heads(1, 1, 16, 0, NO_SLOPES), 0));
        }
        attend(TestData.segments(1000), bothWays(heads(1, 1, 64, 0, NO_SLOPES), 0));
        attend(TestData.segments(600, 401), bothWays(heads(2, 1, 24, 0, NO_SLOPES), 0));
    }

    @Test
    void attendsInBothDirectionsWithinTheWindow() {
        PackedBatch packed = TestData.segments(1, 7, 8, 9, 33, 100);
        for (int window : new int[] {1, 2, 3, 8, 31, 32, 33, 64, 5000, Integer.MAX_VALUE}) {
            attend(packed, bothWays(heads(2, 2, 16, window, NO_SLOPES), 0));
        }
        for (int window : new int[] {1, 63, 64, 65, 200, 255, 256, 257, 600}) {
            attend(TestData.segments(256, 257, 520), bothWays(heads(1, 1, 8, window, NO_SLOPES), 0));
        }
    }

    @Test
    void groupsSlopesAndBoundsGoWithBothDirections() {
        PackedBatch packed = TestData.segments(3, 40, 17, 70);
        for (int kvHeads : new int[] {1, 2, 4, 8}) {
            attend(packed, bothWays(heads(8, kvHeads, 24, 0, NO_SLOPES), 0));
        }
        attend(packed, bothWays(heads(4, 4, 16, 0, slopes(4)), 0));
        attend(packed, bothWays(heads(6, 2, 10, 7, slopes(6)), 2));
        attend(packed, bothWays(heads(3, 1, 64, 0, slopes(3)), 50));
    }

    @Test
    void attendsInBothDirectionsInRandomBatches() {
        for (int i = 0; i < 60; i++) {
            int[] lengths = new int[1 + data.below(8)];
            Arrays.setAll(lengths, s -> 1 + data.below(data.flip() ? 8 : 160));
            int kvHeads = 1 + data.below(3);
            int heads = kvHeads * (1 + data.below(3));
            int window = data.flip() ? 0 : 1 + data.below(data.flip() ? 12 : 200);
            float[] slopes = data.flip() ? NO_SLOPES : slopes(heads);
            AttentionParameters plain = heads(heads, kvHeads, 1 + data.below(20), window, slopes);
            attend(TestData.segments(lengths), bothWays(plain, data.flip() ? 0 : 2));
        }
    }

    @Test
    void boundsScores() {
        PackedBatch packed = TestData.segments(1, 2, 33, 70);
        for (int headDim : HEAD_SIZES) {
            attend(packed, bounded(heads(2, 2, headDim, 0, NO_SLOPES), 1.5f));
        }
        int[] lengths = {5, 1, 70, 3, 20};
        int[] parents = {0, 0, 1, NO_PARENT, 3};
        for (float softcap : new float[] {0.01f, 0.5f, 5, 50, 1e6f}) {
            attend(packed, bounded(heads(4, 2, 24, 0, slopes(4)), softcap));
            attend(packed, bounded(heads(2, 2, 24, 20, NO_SLOPES), softcap));
            attend(
                    TestData.tree(0, lengths, new int[] {NO_PARENT, 0, 1, NO_PARENT, 2}),
                    bounded(heads(2, 1, 16, 0, slopes(2)), softcap));
            attend(TestData.tree(33, lengths, parents), bounded(heads(2, 2, 8, 6, NO_SLOPES), softcap));
        }
    }

    @Test
    void boundsLargeScores() {
        PackedBatch packed = TestData.segments(1, 2, 40, 100);
        for (boolean bidirectional : new boolean[] {false, true}) {
            AttentionParameters parameters = new AttentionParameters(2, 2, 64, 1f, 0, NO_SLOPES, bidirectional, 50f);
            float[] qkv = qkv(packed, parameters, 4);
            // scores of size 128, whose rounding moves probabilities
            attend("scores of size 128", tolerance.scaled(16), packed, parameters, qkv);
        }
    }

    private static AttentionParameters bothWays(AttentionParameters p, float softcap) {
        return new AttentionParameters(
                p.heads(), p.kvHeads(), p.headDim(), p.scale(), p.window(), p.slopes(), true, softcap);
    }

    private static AttentionParameters bounded(AttentionParameters p, float softcap) {
        return new AttentionParameters(
                p.heads(), p.kvHeads(), p.headDim(), p.scale(), p.window(), p.slopes(), false, softcap);
    }

    private static AttentionParameters heads(int heads, int kvHeads, int headDim, int window, float[] slopes) {
        return new AttentionParameters(heads, kvHeads, headDim, (float) (1 / Math.sqrt(headDim)), window, slopes);
    }

    /// 2^(−8/n), 2^(−16/n), …
    private static float[] slopes(int heads) {
        float[] slopes = new float[heads];
        for (int h = 0; h < heads; h++) {
            slopes[h] = (float) Math.pow(2, -8.0 * (h + 1) / heads);
        }
        return slopes;
    }

    private void attend(PackedBatch packed, AttentionParameters parameters) {
        attend("", tolerance, packed, parameters, qkv(packed, parameters, 1.5));
    }

    /// Random queries, keys and values; queries of cached rows are NaN.
    private float[] qkv(PackedBatch packed, AttentionParameters parameters, double size) {
        int columns = parameters.qkvColumns();
        float[] qkv = data.normal(packed.rows() * columns);
        int keysEnd = (parameters.heads() + parameters.kvHeads()) * parameters.headDim();
        for (int row = 0; row < packed.rows(); row++) {
            for (int c = 0; c < keysEnd; c++) {
                qkv[row * columns + c] *= (float) size;
            }
        }
        int queryEnd = parameters.heads() * parameters.headDim();
        for (int row = 0; row < packed.cachedTokens(); row++) {
            Arrays.fill(qkv, row * columns, row * columns + queryEnd, Float.NaN);
        }
        return qkv;
    }

    private void attend(
            String what, Tolerance allowed, PackedBatch packed, AttentionParameters parameters, float[] qkv) {
        String label = "attention %d/%d heads of %d, window %d, %d slopes, both ways %s, bound %s, %s %s"
                .formatted(
                        parameters.heads(),
                        parameters.kvHeads(),
                        parameters.headDim(),
                        parameters.window(),
                        parameters.slopes().length,
                        parameters.bidirectional(),
                        parameters.softcap(),
                        packed,
                        what);
        compare(label, allowed, side -> {
            Tensor out = side.out(packed.tokens(), parameters.heads() * parameters.headDim());
            Tensor x = side.in(qkv, packed.rows(), parameters.qkvColumns());
            side.backend().attention(x, side.batch(packed), parameters, out);
            return out;
        });
    }
}
