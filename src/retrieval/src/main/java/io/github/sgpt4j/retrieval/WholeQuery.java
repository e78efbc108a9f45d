package io.github.sgpt4j.retrieval;

import java.io.IOException;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Weight;

/// A query that stays apart from others. Lucene would move the words of a query into one list with what
/// else must match, and refuse the list if it became too long.
final class WholeQuery extends Query {
    private final Query query;

    WholeQuery(Query query) {
        this.query = query;
    }

    @Override
    public Query rewrite(IndexSearcher searcher) throws IOException {
        Query rewritten = query.rewrite(searcher);
        return rewritten.equals(query) ? this : new WholeQuery(rewritten);
    }

    @Override
    public Weight createWeight(IndexSearcher searcher, ScoreMode scoreMode, float boost) throws IOException {
        return query.createWeight(searcher, scoreMode, boost);
    }

    @Override
    public void visit(QueryVisitor visitor) {
        query.visit(visitor);
    }

    @Override
    public String toString(String field) {
        return query.toString(field);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof WholeQuery whole && whole.query.equals(query);
    }

    @Override
    public int hashCode() {
        return query.hashCode();
    }
}
