package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.ConstantScoreScorerSupplier;
import org.apache.lucene.search.ConstantScoreWeight;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.ScorerSupplier;
import org.apache.lucene.search.Weight;
import org.apache.lucene.util.BitSetIterator;
import org.apache.lucene.util.FixedBitSet;
import org.jspecify.annotations.Nullable;

/// The documents that a filter accepts, or all rows of them, as a query of Lucene's.
final class FilterQuery extends Query {
    private final Filter filter;
    private final boolean withPassages;

    private FilterQuery(Filter filter, boolean withPassages) {
        this.filter = filter;
        this.withPassages = withPassages;
    }

    /// The documents alone.
    static FilterQuery documents(Filter filter) {
        return new FilterQuery(filter, false);
    }

    /// The documents with the rows of their other passages.
    static FilterQuery rows(Filter filter) {
        return new FilterQuery(filter, true);
    }

    @Override
    public Weight createWeight(IndexSearcher searcher, ScoreMode scoreMode, float boost) {
        return new ConstantScoreWeight(this, boost) {
            @Override
            public @Nullable ScorerSupplier scorerSupplier(LeafReaderContext leaf) throws IOException {
                FixedBitSet accepted = withPassages
                        ? FilteredDocuments.rowsIn(leaf.reader(), filter)
                        : FilteredDocuments.in(leaf.reader(), filter);
                int count = accepted.cardinality();
                return count == 0
                        ? null
                        : ConstantScoreScorerSupplier.fromIterator(
                                new BitSetIterator(accepted, count),
                                score(),
                                scoreMode,
                                leaf.reader().maxDoc());
            }

            /// Filters differ from search to search.
            @Override
            public boolean isCacheable(LeafReaderContext leaf) {
                return false;
            }
        };
    }

    /// Nothing here counts as a clause, of which Lucene allows a limited number: the words of a query may
    /// need all of them.
    @Override
    public void visit(QueryVisitor visitor) {}

    @Override
    public String toString(String field) {
        return filter.toString();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FilterQuery query && query.filter.equals(filter) && query.withPassages == withPassages;
    }

    @Override
    public int hashCode() {
        return filter.hashCode();
    }
}
