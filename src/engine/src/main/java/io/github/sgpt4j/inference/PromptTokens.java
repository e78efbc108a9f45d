package io.github.sgpt4j.inference;

/// A prompt with a query and a document, as token ids, whose last state or mean state is scored.
///
/// @param ids that go through the decoder, at least one
/// @param uncutTokens number of ids before cutting
public record PromptTokens(int[] ids, int uncutTokens) implements PairTokens {
    @Override
    public int tokens() {
        return ids.length;
    }

    @Override
    public int queryTokens() {
        return 0;
    }
}
