package io.github.sgpt4j.retrieval.passage;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TextKind;

/// How long documents are split into passages. Immutable.
///
/// @param tokens most tokens of a passage, counted as the model reads it: with the title in front of it,
///     special tokens, brackets and prompt; 0 if documents are not split
/// @param overlap most tokens at the end of a passage that the next one begins with again, in whole
///     sentences, or in pieces of a long one; at most half of `tokens`
public record PassageOptions(int tokens, int overlap) {
    /// Documents are not split.
    public static final PassageOptions OFF = new PassageOptions(0, 0);

    /// The shortest passages; a sentence has about as many tokens.
    public static final int MIN_TOKENS = 16;

    /// The longest passages.
    public static final int MAX_TOKENS = 1 << 20;

    /// Tokens of a passage unless the model reads fewer: about as many as published passage collections have.
    private static final int USUAL_TOKENS = 256;

    /// The usual share of a passage that overlaps.
    private static final int OVERLAP_SHARE = 8;

    /// @throws IllegalArgumentException if `tokens` is neither 0 nor 16 to 1,048,576, or `overlap` not
    ///     0 to half of it
    public PassageOptions {
        if (tokens != 0 && (tokens < MIN_TOKENS || tokens > MAX_TOKENS)) {
            throw new IllegalArgumentException(
                    "passage tokens: expected %d to %d, got %d".formatted(MIN_TOKENS, MAX_TOKENS, tokens));
        }
        if (overlap < 0 || overlap > tokens / 2) {
            throw new IllegalArgumentException(
                    "passage overlap: expected 0 to %d, half of a passage, got %d".formatted(tokens / 2, overlap));
        }
    }

    /// Passages of this many tokens, an eighth of which may overlap.
    ///
    /// @throws IllegalArgumentException if not 16 to 1,048,576
    public static PassageOptions of(int tokens) {
        if (tokens == 0) {
            throw new IllegalArgumentException(
                    "passage tokens: expected %d to %d, got 0".formatted(MIN_TOKENS, MAX_TOKENS));
        }
        return new PassageOptions(tokens, Math.max(0, tokens / OVERLAP_SHARE));
    }

    /// What suits a model: passages of 256 tokens, or as many as it reads of a document if these are fewer.
    /// [#OFF] for a model that reads too few.
    public static PassageOptions of(BiEncoder encoder) {
        int most = Math.min(encoder.maxLength(TextKind.DOCUMENT), USUAL_TOKENS);
        int around = TokenCounter.of(encoder).count("");
        return most - around < MIN_TOKENS ? OFF : of(most);
    }

    /// Whether documents are not split.
    public boolean isOff() {
        return tokens == 0;
    }

    /// Refuses passages that a model could not read.
    ///
    /// @throws IllegalArgumentException if it reads fewer tokens of a document, or puts so many around each
    ///     that almost none are left
    public void requireFit(BiEncoder encoder) {
        if (isOff()) {
            return;
        }
        int most = encoder.maxLength(TextKind.DOCUMENT);
        if (tokens > most) {
            throw new IllegalArgumentException(
                    "passage tokens: expected at most %d, which the model reads of a document, got %d"
                            .formatted(most, tokens));
        }
        int around = TokenCounter.of(encoder).count("");
        if (tokens - around < MIN_TOKENS) {
            throw new IllegalArgumentException(
                    ("passage tokens: expected at least %d, since special tokens and prompt take %d of each passage,"
                                    + " got %d")
                            .formatted(MIN_TOKENS + around, around, tokens));
        }
    }

    @Override
    public String toString() {
        return isOff() ? "no passages" : "passages of %d tokens, overlapping by %d".formatted(tokens, overlap);
    }
}
