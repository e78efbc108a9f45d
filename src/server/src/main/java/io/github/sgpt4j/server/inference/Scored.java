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

    /// How relevant a document is, from 0 to 1: the probability of the query's tokens after it, as a geometric
    /// mean; or of a re-ranker, the probability that its raw score makes.
    public double relevance(int document) {
        CrossEncoder.Score score = scores.get(document);
        if (!score.logits().isEmpty()) {
            return 1 / (1 + Math.exp(-score.rawValue()));
        }
        return score.tokens() == 0 ? 1 : Math.exp((double) score.value() / score.tokens());
    }

    /// What documents are ordered by: as [#relevance], but different also where that is rounded to 1.
    public double rank(int document) {
        CrossEncoder.Score score = scores.get(document);
        return score.logits().isEmpty() ? relevance(document) : score.rawValue();
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
