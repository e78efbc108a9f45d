package io.github.sgpt4j.tokenizer;

/// The side on which a text that is too long loses tokens.
public enum CutSide {
    /// The side that the tokenizer's files state; the right if they state none.
    STATED,
    /// The beginning of the text.
    LEFT,
    /// The end of the text.
    RIGHT;

    /// Index of the first token that is kept.
    ///
    /// @param tokens number of the text's tokens
    /// @param kept how many of them are kept
    /// @param statedLeft whether the tokenizer's files state the left
    int from(int tokens, int kept, boolean statedLeft) {
        boolean left = switch (this) {
            case STATED -> statedLeft;
            case LEFT -> true;
            case RIGHT -> false;
        };
        return left ? tokens - kept : 0;
    }
}
