package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.CrossEncoder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

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
        List<String> texts = head.stream().map(hit -> hit.document().joined()).toList();
        List<CrossEncoder.Score> scores = encoder.score(query, texts);
        List<Hit> reordered = new ArrayList<>();
        for (int i = 0; i < head.size(); i++) {
            reordered.add(head.get(i).withRerankScore(scores.get(i).value()));
        }
        // The sort is stable: equal scores keep the order of the first stage.
        reordered.sort(Comparator.comparing((Hit hit) -> hit.rerankScore().orElse(Float.NEGATIVE_INFINITY))
                .reversed());
        reordered.addAll(hits.subList(head.size(), hits.size()));
        return reordered;
    }
}
