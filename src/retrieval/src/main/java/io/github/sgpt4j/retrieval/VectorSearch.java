package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.DocAndFloatFeatureBuffer;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.VectorScorer;
import org.apache.lucene.util.BitSetIterator;
import org.apache.lucene.util.FixedBitSet;
import org.jspecify.annotations.Nullable;

/// Finds the documents whose vectors are most similar to a query's.
///
/// Candidates come from the graph, or from all vectors; all passages of each are scored again from the 32-bit
/// vectors with 64-bit sums, so that a document's score does not depend on how it was found.
final class VectorSearch {
    /// Numbers in the vectors of an index that are compared at once in a few milliseconds. Tests of the graph set it to
    /// 0.
    private static final long SMALL = Long.getLong("sgpt4j.retrieval.compareAllUpTo", 1L << 23);

    private VectorSearch() {}

    /// Whether comparing every vector takes no longer than a walk through the graph. It also finds what lies in a part
    /// of the graph that many equal vectors cut off.
    private static boolean isSmall(IndexSearcher searcher, float[] query) {
        return (long) searcher.getIndexReader().maxDoc() * query.length <= SMALL;
    }

    /// @param query as [VectorSpace#prepare] made it
    /// @return the `k` best, best first
    static List<Scored> search(IndexSearcher searcher, VectorSpace space, float[] query, int k, SearchOptions options)
            throws IOException {
        int[] candidates = options.exact() || isSmall(searcher, query)
                ? nearest(searcher, query, Math.max(k, options.gathered()), options)
                : fromGraph(searcher, query, Math.max(k, options.gathered()), options);
        List<Scored> scored = new ArrayList<>();
        List<PassageScores> scores = scores(searcher, space, candidates, query);
        for (int i = 0; i < candidates.length; i++) {
            int number = candidates[i];
            scores.get(i).pooled(options.bestPassages()).ifPresent(score -> scored.add(new Scored(number, score)));
        }
        return best(searcher, scored, k);
    }

    /// The best, best first. Where equal scores are at the limit, those with the first ids stay, so that
    /// results do not depend on how an index is divided.
    private static List<Scored> best(IndexSearcher searcher, List<Scored> scored, int k) throws IOException {
        scored.sort(Scored.BEST_FIRST);
        if (scored.size() <= k || scored.get(k).score() < scored.get(k - 1).score()) {
            return scored.subList(0, Math.min(k, scored.size()));
        }
        float last = scored.get(k).score();
        List<Scored> kept = new ArrayList<>();
        List<Integer> tied = new ArrayList<>();
        for (Scored each : scored) {
            if (each.score() > last) {
                kept.add(each);
            } else if (each.score() == last) {
                tied.add(each.number());
            }
        }
        // In order of their numbers, since equal scores are.
        int[] numbers = tied.stream().mapToInt(Integer::intValue).toArray();
        for (int number : new StoredDocuments(searcher).withFirstIds(numbers, k - kept.size())) {
            kept.add(new Scored(number, last));
        }
        return kept;
    }

    private static int[] fromGraph(IndexSearcher searcher, float[] query, int k, SearchOptions options)
            throws IOException {
        int possible = Math.clamp(searcher.getIndexReader().maxDoc(), 1, k);
        @Nullable Query accepted = options.filter().map(FilterQuery::rows).orElse(null);
        Query graph = isSplit(searcher)
                ? new PassageGraphQuery(query, possible, accepted)
                : new KnnFloatVectorQuery(Fields.VECTOR, query, possible, accepted);
        ScoreDoc[] found = searcher.search(graph, possible).scoreDocs;
        if (found.length < possible) {
            // Documents may be out of reach in the graph: behind others that a filter passes over, or behind equal
            // ones.
            return nearest(searcher, query, k, options);
        }
        return Arrays.stream(found).mapToInt(hit -> hit.doc).sorted().toArray();
    }

    private static boolean isSplit(IndexSearcher searcher) throws IOException {
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            if (!Rows.of(leaf.reader()).areDocuments()) {
                return true;
            }
        }
        return false;
    }

    /// Compares every vector, or each of those that a filter accepts.
    private static int[] nearest(IndexSearcher searcher, float[] query, int k, SearchOptions options)
            throws IOException {
        NearestDocuments best = new NearestDocuments(k);
        DocAndFloatFeatureBuffer block = new DocAndFloatFeatureBuffer();
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            FloatVectorValues vectors = leaf.reader().getFloatVectorValues(Fields.VECTOR);
            VectorScorer scorer = vectors == null || vectors.size() == 0 ? null : vectors.rescorer(query);
            if (scorer == null) {
                continue;
            }
            DocumentPools pools = new DocumentPools(leaf, options.bestPassages(), best);
            VectorScorer.Bulk scores = scorer.bulk(
                    options.filter().isEmpty()
                            ? null
                            : accepted(leaf, options.filter().get()));
            scores.nextDocsAndScores(
                    DocIdSetIterator.NO_MORE_DOCS, leaf.reader().getLiveDocs(), block);
            while (block.size > 0) {
                Interrupts.check("search");
                for (int i = 0; i < block.size; i++) {
                    pools.add(block.docs[i], block.features[i]);
                }
                scores.nextDocsAndScores(
                        DocIdSetIterator.NO_MORE_DOCS, leaf.reader().getLiveDocs(), block);
            }
            pools.end();
        }
        return best.numbers();
    }

    private static DocIdSetIterator accepted(LeafReaderContext leaf, Filter filter) throws IOException {
        FixedBitSet rows = FilteredDocuments.rowsIn(leaf.reader(), filter);
        return new BitSetIterator(rows, rows.cardinality());
    }

    /// Similarities of the passages of documents.
    ///
    /// @param numbers ascending
    /// @param query as [VectorSpace#prepare] made it
    /// @return of each document
    static List<PassageScores> scores(IndexSearcher searcher, VectorSpace space, int[] numbers, float[] query)
            throws IOException {
        List<PassageScores> scores = new ArrayList<>(numbers.length);
        int i = 0;
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            int end = leaf.docBase + leaf.reader().maxDoc();
            if (i == numbers.length || numbers[i] >= end) {
                continue;
            }
            Rows rows = Rows.of(leaf.reader());
            FloatVectorValues vectors = leaf.reader().getFloatVectorValues(Fields.VECTOR);
            KnnVectorValues.DocIndexIterator place = vectors == null ? null : vectors.iterator();
            for (; i < numbers.length && numbers[i] < end; i++) {
                Interrupts.check("search");
                int document = numbers[i] - leaf.docBase;
                float[] each = new float[rows.end(document) - document];
                Arrays.fill(each, Float.NaN);
                for (int passage = 0; vectors != null && place != null && passage < each.length; passage++) {
                    int row = document + passage;
                    // Where the last row had no vector, this is already ahead of it.
                    if (place.docID() < row) {
                        place.advance(row);
                    }
                    if (place.docID() == row) {
                        each[passage] = space.score(query, vectors.vectorValue(place.index()));
                    }
                }
                scores.add(new PassageScores(each));
            }
        }
        return scores;
    }
}
