package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Embedding;
import io.github.sgpt4j.TokenizedText;
import io.github.sgpt4j.server.batching.Operation;
import java.util.List;

/// Embeds texts with one encoder.
record EmbedOperation(BiEncoder encoder) implements Operation<TokenizedText, Embedding> {
    @Override
    public int tokens(TokenizedText item) {
        return item.tokens();
    }

    @Override
    public List<Embedding> compute(List<TokenizedText> items) {
        return encoder.embedTokenized(items);
    }
}
