package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TokenizedPair;
import io.github.sgpt4j.server.batching.Operation;
import java.util.List;

/// Scores pairs with one encoder.
record ScoreOperation(CrossEncoder encoder) implements Operation<TokenizedPair, CrossEncoder.Score> {
    @Override
    public int tokens(TokenizedPair item) {
        return item.tokens();
    }

    @Override
    public List<CrossEncoder.Score> compute(List<TokenizedPair> items) {
        return encoder.scoreTokenized(items);
    }
}
