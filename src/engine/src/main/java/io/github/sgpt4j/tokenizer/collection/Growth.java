package io.github.sgpt4j.tokenizer.collection;

import io.github.sgpt4j.error.UnsupportedModelException;

/// Limits the growth of a text: the steps of a tokenizer may replace characters by longer texts
/// repeatedly, which could fill the memory.
///
/// @param where file and key of the step, for messages
public record Growth(String where) {
    /// No writing system needs more growth in any normalizer or decoder.
    private static final int FACTOR = 32;

    private static final int SHORT = 1 << 20;

    /// @param before characters of the text before the step
    /// @param after characters so far
    public void check(long before, long after) {
        long max = SHORT + FACTOR * before;
        if (after > max) {
            throw new UnsupportedModelException(
                    "%s: expected %d characters to become at most %d, got more".formatted(where, before, max));
        }
    }
}
