package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#plain")
class RotaryContractTest extends BackendContract {
    RotaryContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void rotatesEveryHeadSizeInBothLayouts() {
        PackedBatch packed = TestData.segments(1, 3, 12);
        for (int headDim : new int[] {2, 3, 8, 16, 24, 32, 64, 80, 96, 128, 256}) {
            for (int rotaryDim : new int[] {2, 4, 10, 16, 24, 32, 64, 80, 96, 128, 256}) {
                if (rotaryDim <= headDim) {
                    rotate(packed, 2, 2, headDim, rotaryDim, 1f);
                }
            }
        }
    }

    @Test
    void rotatesQueryAndKeyHeadsOnly() {
        PackedBatch packed = TestData.segments(4, 5);
        rotate(packed, 8, 1, 16, 16, 1f);
        rotate(packed, 6, 3, 10, 6, 1f);
        rotate(packed, 1, 1, 32, 16, 1f);
    }

    @Test
    void multipliesByTheScale() {
        rotate(TestData.segments(9), 2, 1, 16, 8, 1.34657f);
    }

    @Test
    void rotatesManyRows() {
        rotate(TestData.segments(200, 100, 1), 3, 3, 24, 24, 1f);
    }

    @Test
    void rotatesByPositionInTheWholeSequence() {
        int[] lengths = {5, 2, 3, 4};
        int[] parents = {PackedBatch.NO_PARENT, 0, 1, 0};
        rotate(TestData.tree(0, lengths, parents), 2, 2, 16, 16, 1f);
        rotate(TestData.tree(7, lengths, parents), 2, 2, 16, 16, 1f);
    }

    @Test
    void keepsItsAccuracyAtLargePositions() {
        // an angle in 32-bit floats would be off by 131072 · 2⁻²⁴ = 0.008
        for (int cached : new int[] {2047, 32_767, 131_071}) {
            rotate(TestData.tree(cached, new int[] {4}, new int[] {0}), 2, 1, 16, 16, 1f);
        }
    }

    private void rotate(PackedBatch packed, int heads, int kvHeads, int headDim, int rotaryDim, float scale) {
        double[] frequencies = new double[rotaryDim / 2];
        for (int pair = 0; pair < frequencies.length; pair++) {
            frequencies[pair] = Math.pow(10_000, -2.0 * pair / rotaryDim);
        }
        int columns = (heads + 2 * kvHeads) * headDim;
        for (boolean interleaved : new boolean[] {false, true}) {
            RotaryParameters parameters =
                    new RotaryParameters(heads, kvHeads, headDim, rotaryDim, interleaved, frequencies, scale);
            float[] qkv = data.normal(packed.tokens() * columns);
            String what = "rotary %d of %d, %d/%d heads, interleaved %s, %s"
                    .formatted(rotaryDim, headDim, heads, kvHeads, interleaved, packed);
            compare(what, side -> {
                Tensor x = side.inOut(qkv, packed.tokens(), columns);
                side.backend().rotary(x, side.batch(packed), parameters);
                return x;
            });
        }
    }
}
