package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.index.LeafReaderContext;

/// Gathers the scores of rows, which come in their order, as scores of documents.
final class DocumentPools {
    private final int base;
    private final int best;
    private final Rows rows;
    private final NearestDocuments documents;
    private float[] scores = new float[1];
    private int count;
    private int document;

    /// Row after the last passage of the document.
    private int end;

    /// @param best how many of a document's scores count
    /// @param documents told of the documents
    DocumentPools(LeafReaderContext leaf, int best, NearestDocuments documents) throws IOException {
        base = leaf.docBase;
        this.best = best;
        this.documents = documents;
        rows = Rows.of(leaf.reader());
    }

    /// @param row within the part, after those before
    void add(int row, float score) {
        if (rows.areDocuments()) {
            documents.add(base + row, score);
            return;
        }
        if (row >= end) {
            end();
            document = rows.document(row);
            end = rows.end(document);
        }
        if (best == 1) {
            scores[0] = count == 0 ? score : Math.max(scores[0], score);
            count = 1;
        } else {
            if (count == scores.length) {
                scores = Arrays.copyOf(scores, 2 * count);
            }
            scores[count] = score;
            count++;
        }
    }

    /// Ends the last document.
    void end() {
        if (count > 0) {
            float pooled =
                    new PassageScores(Arrays.copyOf(scores, count)).pooled(best).orElseThrow();
            documents.add(base + document, pooled);
            count = 0;
        }
    }
}
