package io.github.sgpt4j;

/// A text's embedding, and how much of the text it is of.
///
/// @param vector `[dimension]`, not copied
/// @param tokens token ids that it was computed from: the text's, with special tokens, brackets and
///     prompt
/// @param uncutTokens token ids that there would be if no text were too long
public record Embedding(float[] vector, int tokens, int uncutTokens) {
    /// Whether the text was too long and was cut.
    public boolean truncated() {
        return uncutTokens > tokens;
    }
}
