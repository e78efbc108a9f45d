package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.server.metrics.Timing;
import java.util.List;

/// Scores of a request's documents, in their order.
///
/// @param scores of each document
/// @param characters code points of all texts
/// @param timing where the time went
public record Scored(List<CrossEncoder.Score> scores, long characters, Timing timing) implements Computed {
    /// Copies the list.
    public Scored {
        scores = List.copyOf(scores);
    }

    /// The probability of the query's tokens after a document, as a geometric mean: in (0, 1].
    public double relevance(int document) {
        CrossEncoder.Score score = scores.get(document);
        return score.tokens() == 0 ? 1 : Math.exp((double) score.value() / score.tokens());
    }

    @Override
    public long totalTokens() {
        return scores.stream().mapToLong(CrossEncoder.Score::inputTokens).sum();
    }

    @Override
    public int cut() {
        return (int) scores.stream().filter(CrossEncoder.Score::truncated).count();
    }
}
