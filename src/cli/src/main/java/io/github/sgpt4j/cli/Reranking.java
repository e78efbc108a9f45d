package io.github.sgpt4j.cli;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoder.Score;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Re-orders the head of a result list by the cross-encoder's scores.
final class Reranking {
    private Reranking() {}

    /// @param n this many are scored and re-ordered; the rest follow as they were
    static List<SearchResult> reorder(CrossEncoder encoder, String query, List<SearchResult> results, int n) {
        List<SearchResult> head = results.subList(0, Math.min(n, results.size()));
        List<String> texts =
                head.stream().map(result -> result.document().joined()).toList();
        List<Score> scores = encoder.score(query, texts);
        List<SearchResult> reordered = new ArrayList<>();
        for (int i = 0; i < head.size(); i++) {
            float score = JsonLines.requireFinite(scores.get(i).value(), "query \"" + query + "\"");
            reordered.add(new SearchResult(head.get(i).document(), head.get(i).cosine(), Optional.of(score)));
        }
        reordered.sort(Comparator.comparing(
                        (SearchResult result) -> result.rerankScore().orElse(Float.NEGATIVE_INFINITY))
                .reversed());
        reordered.addAll(results.subList(head.size(), results.size()));
        return reordered;
    }
}
