package io.github.sgpt4j.backend;

/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864).
///
/// Pair `p` of a head at position `t` turns by `t · inverseFrequencies[p]`; cosine and sine are multiplied by `scale`.
/// Pairs are dimensions `(2p, 2p + 1)` if interleaved (GPT-J), else `(p, p + rotaryDim / 2)` (GPT-NeoX, Llama).
/// Dimensions from `rotaryDim` on are left alone.
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
    public RotaryParameters {
        if (heads < 1 || kvHeads < 1 || rotaryDim < 2 || rotaryDim % 2 != 0 || rotaryDim > headDim) {
            throw new IllegalArgumentException("rotary over %d of %d dimensions, %d heads, %d key heads"
                    .formatted(rotaryDim, headDim, heads, kvHeads));
        }
        if (inverseFrequencies.length != rotaryDim / 2) {
            throw new IllegalArgumentException(
                    "%d frequencies for %d rotary dimensions".formatted(inverseFrequencies.length, rotaryDim));
        }
    }
}
