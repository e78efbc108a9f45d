package io.github.sgpt4j.inference;

/// A query and a document as the token ids that are computed for them.
public sealed interface PairTokens permits ScoringRequest, PromptTokens {
    /// The ids of the input.
    int[] ids();

    /// Number of ids of the input.
    int tokens();

    /// Number of ids of the input before cutting.
    int uncutTokens();

    /// Number of the query's tokens that are scored one by one.
    int queryTokens();

    /// Whether the pair was too long and was cut.
    default boolean truncated() {
        return uncutTokens() > tokens();
    }
}
