package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// The gradient of attention, after attention itself.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#withInnerTypes")
class AttentionBackwardContractTest extends BackwardContract {
    private static final float[] NO_SLOPES = {};

    AttentionBackwardContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void derivesEveryHeadSize() {
        PackedBatch packed = TestData.segments(1, 2, 33, 5, 70);
        for (int headDim : new int[] {1, 2, 3, 8, 12, 16, 24, 33, 40, 64, 80, 96, 128, 256}) {
            derive(packed, heads(2, 2, headDim, 0, NO_SLOPES));
        }
        derive(TestData.segments(193), heads(1, 1, 128, 0, NO_SLOPES));
    }

    @Test
    void derivesEveryLength() {
        for (int length : new int[] {1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 191, 192, 193, 257, 400}) {
            derive(TestData.segments(length), heads(1, 1, 16, 0, NO_SLOPES));
        }
        derive(TestData.segments(700), heads(1, 1, 64, 0, NO_SLOPES));
        derive(TestData.segments(191, 1, 192), heads(2, 1, 24, 0, NO_SLOPES));
    }

    @Test
    void derivesWithinTheWindow() {
        for (int window : new int[] {1, 2, 3, 31, 32, 33, 63, 64, 65, 191, 192, 256, 400, Integer.MAX_VALUE}) {
            derive(TestData.segments(1, 2, 33, 260), heads(1, 1, 12, window, NO_SLOPES));
        }
        for (int window : new int[] {1, 3, 256}) {
            derive(TestData.segments(700), heads(1, 1, 8, window, NO_SLOPES));
        }
    }

    @Test
    void queriesOfAGroupAddToTheSameKeys() {
        PackedBatch packed = TestData.segments(3, 193, 17, 64);
        for (int kvHeads : new int[] {1, 2, 3, 6}) {
            derive(packed, heads(6, kvHeads, 24, 0, NO_SLOPES));
        }
        derive(packed, heads(6, 2, 12, 7, slopes(6)));
    }

    @Test
    void slopesCountInScoresOnly() {
        derive(TestData.segments(1, 2, 33, 100), heads(4, 4, 16, 0, slopes(4)));
        derive(TestData.segments(700), heads(2, 2, 8, 0, slopes(2)));
        derive(TestData.segments(100, 400), heads(2, 1, 16, 20, slopes(2)));
    }

    @Test
    void derivesRandomShapes() {
        for (int i = 0; i < 30; i++) {
            int[] lengths = IntStream.range(0, 1 + data.below(6))
                    .map(s -> 1 + data.below(data.flip() ? 12 : 260))
                    .toArray();
            int kvHeads = 1 + data.below(3);
            int heads = kvHeads * (1 + data.below(3));
            int window = data.flip() ? 0 : 1 + data.below(300);
            float[] slopes = data.flip() ? NO_SLOPES : slopes(heads);
            derive(TestData.segments(lengths), heads(heads, kvHeads, 1 + data.below(40), window, slopes));
        }
    }

    @Test
    void manySmallSegments() {
        int[] lengths = new int[150];
        Arrays.setAll(lengths, s -> 1 + s % 7);
        derive(TestData.segments(lengths), heads(2, 2, 16, 0, NO_SLOPES));
        derive(TestData.segments(lengths), heads(2, 1, 16, 3, slopes(2)));
    }

    @Test
    void isStableForLargeScores() {
        PackedBatch packed = TestData.segments(1, 2, 70, 300);
        AttentionParameters parameters = new AttentionParameters(2, 1, 16, 1f, 0, NO_SLOPES);
        // Queries and keys are small multiples of 24, so that scores up to ±9216 are exact; many are equal.
        float[] qkv = data.normal(packed.rows() * 64);
        for (int i = 0; i < qkv.length; i++) {
            qkv[i] = i % 64 < 48 ? 24f * (data.below(3) - 1) : qkv[i];
        }
        // differences of size 1 that should be 0, times a key or a query, are summed
        Tolerance allowed = tolerance.scaled(100);
        derive("scores of ±9216", allowed, packed, parameters, qkv);
        for (int i = 0; i < qkv.length; i++) {
            qkv[i] = i % 64 < 32 ? 24f : i % 64 < 48 ? -24f : qkv[i];
        }
        derive("equal scores of −9216", allowed, packed, parameters, qkv);
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

    private void derive(PackedBatch packed, AttentionParameters parameters) {
        derive("", tolerance, packed, parameters, data.normal(packed.rows() * parameters.qkvColumns()));
    }

    private void derive(
            String what, Tolerance allowed, PackedBatch packed, AttentionParameters parameters, float[] qkv) {
        int columns = parameters.heads() * parameters.headDim();
        float[] dOut = data.normal(packed.tokens() * columns);
        String label = "gradient of attention %d/%d heads of %d, window %d, %d slopes, %s %s"
                .formatted(
                        parameters.heads(),
                        parameters.kvHeads(),
                        parameters.headDim(),
                        parameters.window(),
                        parameters.slopes().length,
                        packed,
                        what);
        compare(label, allowed, side -> {
            Batch batch = side.batch(packed);
            Tensor x = side.in(qkv, packed.rows(), parameters.qkvColumns());
            Tensor out = side.out(packed.tokens(), columns);
            Tensor dQkv = side.out(packed.rows(), parameters.qkvColumns());
            side.backend().attention(x, batch, parameters, out);
            backward(side).attention(x, batch, parameters, out, side.in(dOut, packed.tokens(), columns), dQkv);
            return dQkv;
        });
    }
}
