package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.passage.Passage;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Chooses the passage of a document that is shown: the nearest, the one with the most words of the query, or
/// by both, with reciprocal rank fusion of the two orders as for documents.
///
/// @param words of the query, if documents are found by words
record BestPassage(Optional<QueryWords> words) {
    /// @param ranges of the document's passages
    /// @param similarities of these; empty if the query has no vector
    Passage of(Document document, List<TextRange> ranges, Optional<PassageScores> similarities) {
        if (ranges.size() == 1) {
            return Passage.of(document.text(), ranges.getFirst());
        }
        double[] fused = new double[ranges.size()];
        similarities.ifPresent(scores -> {
            double[] each = new double[fused.length];
            for (int i = 0; i < each.length; i++) {
                each[i] = Float.isNaN(scores.each()[i]) ? Double.NEGATIVE_INFINITY : scores.each()[i];
            }
            addRanks(fused, each);
        });
        words.ifPresent(query -> addRanks(fused, query.scores(document.text(), ranges)));
        int best = 0;
        for (int i = 1; i < fused.length; i++) {
            best = fused[i] > fused[best] ? i : best;
        }
        return Passage.of(document.text(), ranges.get(best));
    }

    /// Equal scores have one rank.
    private static void addRanks(double[] fused, double[] scores) {
        List<Integer> order = IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> scores[i]).reversed())
                .toList();
        int rank = 1;
        for (int i = 0; i < order.size(); i++) {
            if (i > 0 && scores[order.get(i)] < scores[order.get(i - 1)]) {
                rank = i + 1;
            }
            fused[order.get(i)] += 1.0 / (Fusion.RANK_CONSTANT + rank);
        }
    }
}
