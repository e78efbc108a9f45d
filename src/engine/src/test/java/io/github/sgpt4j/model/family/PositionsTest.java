package io.github.sgpt4j.model.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Variants;
import org.junit.jupiter.api.Test;

/// Slopes and frequencies worked out by hand from their papers.
class PositionsTest {
    private static Positions.Rotary rotary(String variant) {
        return assertInstanceOf(
                Positions.Rotary.class,
                Decoder.readConfig(Variants.model(variant)).positions());
    }

    @Test
    void slopesOfAPowerOfTwoAreGeometric() {
        assertArrayEquals(
                new float[] {1 / 2f, 1 / 4f, 1 / 8f, 1 / 16f, 1 / 32f, 1 / 64f, 1 / 128f, 1 / 256f},
                Positions.Alibi.forHeads(8).slopes());
        assertArrayEquals(new float[] {1 / 256f}, Positions.Alibi.forHeads(1).slopes());
    }

    @Test
    void otherHeadCountsTakeEverySecondOfTheFinerSlopes() {
        float[] slopes = Positions.Alibi.forHeads(12).slopes();
        float root = (float) Math.sqrt(0.5);
        assertArrayEquals(
                new float[] {root, root / 2, root / 4, root / 8},
                new float[] {slopes[8], slopes[9], slopes[10], slopes[11]});
        assertArrayEquals(
                new float[] {1 / 16f, 1 / 256f, 1 / 4f},
                Positions.Alibi.forHeads(3).slopes());
    }

    @Test
    void plainFrequenciesFallGeometrically() {
        assertArrayEquals(new double[] {1, 0.1, 0.01, 0.001}, RotaryFrequencies.plain(8, 10000), 1e-15);
    }

    @Test
    void linearScalingDividesAll() {
        double[] expected = RotaryFrequencies.plain(8, 100);
        double[] actual = rotary("llama-linear").inverseFrequencies();
        for (int p = 0; p < expected.length; p++) {
            assertEquals(expected[p] / 2.5, actual[p], 1e-15);
        }
    }

    @Test
    void llama3KeepsFastDividesSlowAndBlendsBetween() {
        double[] plain = RotaryFrequencies.plain(8, 100);
        double[] actual = rotary("llama-llama3").inverseFrequencies();
        assertEquals(plain[0], actual[0]);
        double smooth = (32 * plain[1] / (2 * Math.PI) - 1) / 3;
        assertEquals((1 - smooth) * plain[1] / 8 + smooth * plain[1], actual[1], 1e-15);
        assertEquals(plain[2] / 8, actual[2], 1e-15);
        assertEquals(plain[3] / 8, actual[3], 1e-15);
    }

    @Test
    void yarnScalesCosineAndSine() {
        assertEquals(0.1 * Math.log(4) + 1, rotary("llama-yarn").scale(), 1e-7);
        assertEquals(0.9f, rotary("llama-yarn-attention-factor").scale());
        double log = 0.1 * Math.log(3);
        assertEquals(
                (0.7 * log + 1) / (1.3 * log + 1), rotary("llama-yarn-mscale").scale(), 1e-7);
        assertEquals(1, rotary("llama-linear").scale());
    }

    @Test
    void yarnKeepsTheFastestAndDividesTheSlowest() {
        double[] plain = RotaryFrequencies.plain(8, 100);
        double[] actual = rotary("llama-yarn").inverseFrequencies();
        assertEquals(plain[0], actual[0], 1e-15);
        assertEquals(plain[3] / 4, actual[3], 1e-15);
    }

    @Test
    void dynamicScalingIsNoneWithinThePositions() {
        assertArrayEquals(
                RotaryFrequencies.plain(8, 100), rotary("llama-dynamic").inverseFrequencies());
    }

    @Test
    void onlyAFractionOfTheDimensionsTurnsInNeoX() {
        assertEquals(4, rotary("neox-linear-rope").dimensions());
        assertEquals(2, rotary("neox-gelu_fast").dimensions());
        assertEquals(8, rotary("neox-gelu_new").dimensions());
    }
}
