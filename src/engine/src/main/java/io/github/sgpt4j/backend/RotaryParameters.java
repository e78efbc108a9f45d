package io.github.sgpt4j.backend;

import java.util.Arrays;

/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864).
///
/// Pair `p` of a head at position `t` is rotated by `t · inverseFrequencies[p]`; cosine and sine
/// are multiplied by `scale`. Pairs are dimensions `(2p, 2p + 1)` if interleaved (GPT-J), else `(p,
/// p + rotaryDim / 2)` (GPT-NeoX, Llama). Dimensions from `rotaryDim` on are unchanged.
///
/// @param inverseFrequencies `[rotaryDim / 2]`, radians per position; must not be changed
/// @param scale 1, or YaRN's attention factor
public record RotaryParameters(
        int heads,
        int kvHeads,
        int headDim,
        int rotaryDim,
        boolean interleaved,
        double[] inverseFrequencies,
        float scale) {
    /// Cosines and sines, multiplied by the scale.
    ///
    /// @param cos,sin `[positions, rotaryDim / 2]`
    public record Angles(float[] cos, float[] sin) {}

    public RotaryParameters {
        if (heads < 1 || kvHeads < 1 || rotaryDim < 2 || rotaryDim % 2 != 0 || rotaryDim > headDim) {
            throw new IllegalArgumentException(
                    ("rotary: expected heads, and an even number of dimensions of a head, got %d of %d dimensions,"
                                    + " %d heads, %d key heads")
                            .formatted(rotaryDim, headDim, heads, kvHeads));
        }
        if (inverseFrequencies.length != rotaryDim / 2) {
            throw new IllegalArgumentException(
                    "rotary: expected %d frequencies, got %d".formatted(rotaryDim / 2, inverseFrequencies.length));
        }
    }

    /// Whether [#angles] are the same for both.
    public boolean sameAngles(RotaryParameters other) {
        return scale == other.scale && Arrays.equals(inverseFrequencies, other.inverseFrequencies);
    }

    /// Angles of positions `[0, positions)`, computed in 64-bit arithmetic.
    ///
    /// @throws ArithmeticException if that is too many for an array
    public Angles angles(int positions) {
        int pairs = inverseFrequencies.length;
        float[] cos = new float[Math.multiplyExact(positions, pairs)];
        float[] sin = new float[cos.length];
        for (int t = 0; t < positions; t++) {
            for (int p = 0; p < pairs; p++) {
                double angle = t * inverseFrequencies[p];
                cos[t * pairs + p] = (float) (Math.cos(angle) * scale);
                sin[t * pairs + p] = (float) (Math.sin(angle) * scale);
            }
        }
        return new Angles(cos, sin);
    }
}
