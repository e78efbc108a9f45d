package io.github.sgpt4j.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/// Exact search by cosine: every document is looked at.
final class SearchIndex {
    private final float[][] rows;

    /// A document found.
    ///
    /// @param document its place in the index
    record Hit(int document, float cosine) {}

    /// @param vectors `[documents][dimension]`; scaled to length 1 in place, and kept
    SearchIndex(float[][] vectors) {
        for (float[] vector : vectors) {
            normalize(vector);
        }
        rows = vectors;
    }

    /// The nearest documents, best first, equals in the order of documents.
    ///
    /// @param k at most this many
    List<Hit> search(float[] query, int k) {
        float[] unit = query.clone();
        normalize(unit);
        Comparator<Hit> worstFirst =
                Comparator.comparing(Hit::cosine).thenComparing(Hit::document, Comparator.reverseOrder());
        PriorityQueue<Hit> best = new PriorityQueue<>(worstFirst);
        for (int i = 0; i < rows.length; i++) {
            Hit hit = new Hit(i, dot(unit, rows[i]));
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

    private static void normalize(float[] vector) {
        double squares = 0;
        for (float x : vector) {
            squares += (double) x * x;
        }
        // The zero vector, of a text without tokens, is as near to everything as to nothing: cosine 0.
        double scale = squares == 0 ? 0 : 1 / Math.sqrt(squares);
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (vector[i] * scale);
        }
    }

    private static float dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return (float) sum;
    }
}
