package io.github.sgpt4j.tokenizer.collection;

import io.github.sgpt4j.error.UnsupportedModelException;

/// Keeps the steps of a tokenizer, which may replace characters by longer texts one after the other, from filling the
/// memory.
///
/// @param where file and key of the step, for messages
public record Growth(String where) {
    /// No writing system needs more of any normalizer or decoder.
    private static final int FACTOR = 32;

    private static final int SHORT = 1 << 20;

    /// @param before characters of the text before the step
    /// @param after characters so far
    public void check(long before, long after) {
        long most = SHORT + FACTOR * before;
        if (after > most) {
            throw new UnsupportedModelException(
                    "%s: expected %d characters to become at most %d, got more".formatted(where, before, most));
        }
    }
}
