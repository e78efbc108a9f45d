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
class AttentionBackwardContractTest extends BackwardContract {
    private static final float[] NO_SLOPES = {};

    AttentionBackwardContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void everyHeadSize() {
        PackedBatch packed = TestData.segments(1, 2, 33, 5, 31, 32, 1);
        for (int headDim : new int[] {1, 2, 3, 8, 16, 24, 40, 64, 80, 128, 256}) {
            attend(packed, heads(2, 2, headDim, 0, NO_SLOPES));
        }
    }

    @Test
    void everyLength() {
        for (int length : new int[] {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 193, 257}) {
            attend(TestData.segments(length), heads(1, 1, 16, 0, NO_SLOPES));
        }
        attend(TestData.segments(600), heads(1, 1, 24, 0, NO_SLOPES));
        attend(TestData.segments(400, 201), heads(2, 1, 24, 0, NO_SLOPES));
    }

    @Test
    void windows() {
        PackedBatch packed = TestData.segments(1, 7, 8, 9, 33, 100);
        for (int window : new int[] {1, 2, 3, 8, 31, 32, 33, 5000}) {
            attend(packed, heads(2, 2, 16, window, NO_SLOPES));
        }
        for (int window : new int[] {1, 191, 192, 193, 300}) {
            attend(TestData.segments(192, 193, 400), heads(1, 1, 8, window, NO_SLOPES));
        }
    }

    @Test
    void groupsOfQueryHeads() {
        PackedBatch packed = TestData.segments(3, 40, 17);
        for (int kvHeads : new int[] {1, 2, 4, 8}) {
            attend(packed, heads(8, kvHeads, 24, 0, NO_SLOPES));
        }
        attend(packed, heads(6, 2, 10, 7, NO_SLOPES));
        attend(packed, heads(3, 1, 64, 0, slopes(3)));
    }

    @Test
    void slopesChangeOnlyTheWeights() {
        attend(TestData.segments(1, 2, 33, 100), heads(4, 4, 16, 0, slopes(4)));
        attend(TestData.segments(300), heads(2, 2, 8, 0, slopes(2)));
        attend(TestData.segments(100, 12), heads(4, 2, 16, 20, slopes(4)));
    }

    @Test
    void manySmallSegments() {
        int[] lengths = new int[150];
        Arrays.setAll(lengths, s -> 1 + s % 7);
        attend(TestData.segments(lengths), heads(2, 2, 16, 0, NO_SLOPES));
        attend(TestData.segments(lengths), heads(2, 1, 16, 3, slopes(2)));
    }

    @Test
    void randomBatches() {
        for (int i = 0; i < 20; i++) {
            int[] lengths = new int[1 + data.below(8)];
            for (int s = 0; s < lengths.length; s++) {
                lengths[s] = 1 + data.below(data.flip() ? 8 : 120);
            }
            int kvHeads = 1 + data.below(3);
            int heads = kvHeads * (1 + data.below(3));
            int window = data.flip() ? 0 : 1 + data.below(data.flip() ? 12 : 200);
            float[] slopes = data.flip() ? NO_SLOPES : slopes(heads);
            attend(TestData.segments(lengths), heads(heads, kvHeads, 1 + data.below(20), window, slopes));
        }
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
        int columns = parameters.heads() * parameters.headDim();
        float[] qkv = data.normal(packed.rows() * parameters.qkvColumns(), 0, 1.5);
        float[] dOut = data.normal(packed.tokens() * columns);
        String label = "gradient of attention %d/%d heads of %d, window %d, %d slopes, %s"
                .formatted(
                        parameters.heads(),
                        parameters.kvHeads(),
                        parameters.headDim(),
                        parameters.window(),
                        parameters.slopes().length,
                        packed);
        // gradients of the first values are sums over all queries that see them
        compare(label, tolerance.scaled(10), side -> {
            Tensor out = side.out(packed.tokens(), columns);
            Tensor x = side.in(qkv, packed.rows(), parameters.qkvColumns());
            Tensor dQkv = side.out(packed.tokens(), parameters.qkvColumns());
            Batch batch = side.batch(packed);
            side.backend().attention(x, batch, parameters, out);
            backward(side).attention(x, batch, parameters, out, side.in(dOut, packed.tokens(), columns), dQkv);
            return dQkv;
        });
    }
}
