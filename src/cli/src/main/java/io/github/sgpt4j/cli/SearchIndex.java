package io.github.sgpt4j.cli;

import io.github.sgpt4j.Similarity;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/// Exact search: every document is looked at.
final class SearchIndex {
    private final float[][] rows;
    private final Similarity similarity;

    /// A document found.
    ///
    /// @param document its place in the index
    record Hit(int document, float similarity) {}

    /// @param vectors `[documents][dimension]`; the rows are replaced by those that are compared
    /// @param similarity what documents are ordered by
    SearchIndex(float[][] vectors, Similarity similarity) {
        for (int i = 0; i < vectors.length; i++) {
            vectors[i] = similarity.prepare(vectors[i]);
        }
        rows = vectors;
        this.similarity = similarity;
    }

    /// The nearest documents, best first, equals in the order of documents.
    ///
    /// @param k at most this many
    List<Hit> search(float[] query, int k) {
        float[] prepared = similarity.prepare(query);
        Comparator<Hit> worstFirst =
                Comparator.comparing(Hit::similarity).thenComparing(Hit::document, Comparator.reverseOrder());
        PriorityQueue<Hit> best = new PriorityQueue<>(worstFirst);
        for (int i = 0; i < rows.length; i++) {
            Hit hit = new Hit(i, similarity.ofPrepared(prepared, rows[i]));
            if (best.size() < k) {
                best.add(hit);
            } else if (worstFirst.compare(hit, best.element()) > 0) {
                best.poll();
                best.add(hit);
            }
        }
        List<Hit> hits = new ArrayList<>(best);
        hits.sort(Collections.reverseOrder(worstFirst));
        return hits;
    }
}
