package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.CrossEncoder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Re-orders the first results by the cross-encoder's scores.
public final class Reranking {
    private Reranking() {}

    /// Scores the first hits and orders them by these scores.
    ///
    /// @param hits best first
    /// @param n how many are scored and re-ordered; the rest keep their order
    /// @throws io.github.sgpt4j.error.FormatException if the model computes NaN or infinity
    public static List<Hit> reorder(CrossEncoder encoder, String query, List<Hit> hits, int n) {
        List<Hit> head = hits.subList(0, Math.min(n, hits.size()));
        List<String> texts = head.stream().map(Hit::passageText).toList();
        List<CrossEncoder.Score> scores = encoder.score(query, texts);
        // Raw scores differ also where probabilities are rounded to 1. The sort is stable: equal scores keep the
        // order of the first stage.
        List<Hit> reordered = new ArrayList<>(IntStream.range(0, head.size())
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> scores.get(i).rawValue())
                        .reversed())
                .map(i -> head.get(i).withRerankScore(scores.get(i).value()))
                .toList());
        reordered.addAll(hits.subList(head.size(), hits.size()));
        return reordered;
    }
}
