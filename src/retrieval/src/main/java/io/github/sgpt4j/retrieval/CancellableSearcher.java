package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.QueryTimeout;
import org.apache.lucene.search.Collector;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Weight;

/// Searches until the searching thread is interrupted, which ends the search with a
/// [io.github.sgpt4j.error.CancelledException]. Lucene's own early exit would return what was found so
/// far, as if that were all.
final class CancellableSearcher extends IndexSearcher {
    /// Documents searched between two checks for an interrupt: milliseconds of work, beside which the
    /// few microseconds of starting again do not count.
    private static final int STEP = 1 << 20;

    private final int step;

    CancellableSearcher(IndexReader reader) {
        this(reader, STEP);
    }

    CancellableSearcher(IndexReader reader, int step) {
        super(reader);
        this.step = step;
    }

    /// Called for each vector that a search of the graph compares.
    @Override
    public QueryTimeout getTimeout() {
        return () -> {
            Interrupts.check("search");
            return false;
        };
    }

    @Override
    protected void searchLeaf(LeafReaderContext leaf, int from, int to, Weight weight, Collector collector)
            throws IOException {
        int start = from;
        for (int end = Math.min(to, leaf.reader().maxDoc()); start < end - step; start += step) {
            Interrupts.check("search");
            super.searchLeaf(leaf, start, start + step, weight, collector);
        }
        Interrupts.check("search");
        super.searchLeaf(leaf, start, to, weight, collector);
    }
}
