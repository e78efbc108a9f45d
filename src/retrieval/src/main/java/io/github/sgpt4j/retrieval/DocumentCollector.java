package io.github.sgpt4j.retrieval;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.apache.lucene.search.AbstractKnnCollector;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TotalHits;
import org.apache.lucene.search.knn.KnnSearchStrategy;

/// Collects the documents with the nearest passages of one part of an index: each once, by its nearest passage
/// so far, so that a document with many passages does not take the places of others.
final class DocumentCollector extends AbstractKnnCollector {
    private static final Comparator<Scored> WORST_FIRST = Scored.BEST_FIRST.reversed();

    private final Rows rows;
    private final Map<Integer, Scored> byDocument = new HashMap<>();
    private final TreeSet<Scored> worstFirst = new TreeSet<>(WORST_FIRST);

    /// @param k most documents
    /// @param visitLimit most passages compared
    DocumentCollector(int k, long visitLimit, KnnSearchStrategy strategy, Rows rows) {
        super(k, visitLimit, strategy);
        this.rows = rows;
    }

    @Override
    public boolean collect(int row, float score) {
        if (worstFirst.size() == k() && score <= worstFirst.first().score()) {
            return false;
        }
        int document = rows.document(row);
        Scored before = byDocument.get(document);
        if (before != null) {
            if (score <= before.score()) {
                return false;
            }
            worstFirst.remove(before);
        } else if (worstFirst.size() == k()) {
            Scored worst = worstFirst.removeFirst();
            byDocument.remove(worst.number());
        }
        Scored scored = new Scored(document, score);
        byDocument.put(document, scored);
        worstFirst.add(scored);
        return true;
    }

    @Override
    public int numCollected() {
        return worstFirst.size();
    }

    @Override
    public float minCompetitiveSimilarity() {
        return worstFirst.size() < k()
                ? Float.NEGATIVE_INFINITY
                : worstFirst.first().score();
    }

    /// The documents, best first.
    @Override
    public TopDocs topDocs() {
        ScoreDoc[] best = worstFirst.descendingSet().stream()
                .map(scored -> new ScoreDoc(scored.number(), scored.score()))
                .toArray(ScoreDoc[]::new);
        TotalHits.Relation relation =
                earlyTerminated() ? TotalHits.Relation.GREATER_THAN_OR_EQUAL_TO : TotalHits.Relation.EQUAL_TO;
        return new TopDocs(new TotalHits(visitedCount(), relation), best);
    }

    @Override
    public String toString() {
        return "DocumentCollector[k=%d, %s]".formatted(k(), Arrays.toString(topDocs().scoreDocs));
    }
}
