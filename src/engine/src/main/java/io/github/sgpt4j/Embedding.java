package io.github.sgpt4j;

/// A text's embedding, and how much of the text it covers.
///
/// @param vector `[dimension]`, not copied
/// @param tokens token ids that it was computed from, including special tokens, brackets and prompt
/// @param uncutTokens token ids before cutting
public record Embedding(float[] vector, int tokens, int uncutTokens) {
    /// Whether the text was too long and was cut.
    public boolean truncated() {
        return uncutTokens > tokens;
    }
}
