package io.github.sgpt4j.retrieval;

import java.io.IOException;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.QueryTimeout;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.search.VectorScorer;
import org.apache.lucene.search.knn.KnnCollectorManager;
import org.apache.lucene.search.knn.KnnSearchStrategy;
import org.jspecify.annotations.Nullable;

/// The documents whose nearest passages the graph leads to. As Lucene's own query of the nearest children of
/// different parents, but a document is its own first passage, so that one of a single passage needs no
/// second row.
final class PassageGraphQuery extends KnnFloatVectorQuery {
    /// @param query as [VectorSpace#prepare] made it
    /// @param k documents to find
    /// @param accepted the rows that may be found; null for all
    PassageGraphQuery(float[] query, int k, @Nullable Query accepted) {
        super(Fields.VECTOR, query, k, accepted);
    }

    @Override
    protected KnnCollectorManager getKnnCollectorManager(int k, IndexSearcher searcher) {
        return (visitLimit, strategy, leaf) -> {
            Rows rows = Rows.of(leaf.reader());
            return rows.areDocuments()
                    ? new TopKnnCollector(k, visitLimit, strategy)
                    : new DocumentCollector(k, visitLimit, strategy, rows);
        };
    }

    /// Where few rows are accepted, all of them are compared.
    @Override
    protected TopDocs exactSearch(LeafReaderContext leaf, DocIdSetIterator accepted, QueryTimeout timeout)
            throws IOException {
        DocumentCollector best =
                new DocumentCollector(getK(), Long.MAX_VALUE, KnnSearchStrategy.Hnsw.DEFAULT, Rows.of(leaf.reader()));
        FloatVectorValues vectors = leaf.reader().getFloatVectorValues(Fields.VECTOR);
        VectorScorer scorer = vectors == null ? null : vectors.scorer(target);
        if (scorer != null) {
            DocIdSetIterator places = scorer.iterator();
            for (int row = accepted.nextDoc(); row != DocIdSetIterator.NO_MORE_DOCS; row = accepted.nextDoc()) {
                timeout.shouldExit();
                if (places.docID() < row && places.advance(row) == row || places.docID() == row) {
                    best.collect(row, scorer.score());
                }
            }
        }
        return best.topDocs();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PassageGraphQuery && super.equals(other);
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + 1;
    }
}
