package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
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
/// Candidates come from the graph, or from all vectors; they are scored again from the 32-bit vectors
/// with 64-bit sums, so that a document's score does not depend on how it was found.
final class VectorSearch {
    private VectorSearch() {}

    /// @param query as [VectorSpace#prepare] made it
    /// @return the `k` best, best first
    static List<Scored> search(IndexSearcher searcher, VectorSpace space, float[] query, int k, SearchOptions options)
            throws IOException {
        int[] candidates = options.exact()
                ? nearest(searcher, query, Math.max(k, options.gathered()), options.filter())
                : fromGraph(searcher, query, Math.max(k, options.gathered()), options.filter());
        List<Scored> scored = new ArrayList<>();
        Optional<Float>[] scores = scores(searcher, space, candidates, query);
        for (int i = 0; i < candidates.length; i++) {
            if (scores[i].isPresent()) {
                scored.add(new Scored(candidates[i], scores[i].get()));
            }
        }
        scored.sort(Scored.BEST_FIRST);
        return scored.subList(0, Math.min(k, scored.size()));
    }

    private static int[] fromGraph(IndexSearcher searcher, float[] query, int k, Optional<Filter> filter)
            throws IOException {
        int possible = Math.clamp(searcher.getIndexReader().maxDoc(), 1, k);
        @Nullable Query accepted = filter.map(FilterQuery::new).orElse(null);
        Query graph = new KnnFloatVectorQuery(Fields.VECTOR, query, possible, accepted);
        ScoreDoc[] found = searcher.search(graph, possible).scoreDocs;
        if (filter.isPresent() && found.length < possible) {
            // Accepted documents may be out of reach in the graph, where the others are passed over.
            return nearest(searcher, query, k, filter);
        }
        return Arrays.stream(found).mapToInt(hit -> hit.doc).sorted().toArray();
    }

    /// Compares every vector, or each of those that a filter accepts.
    private static int[] nearest(IndexSearcher searcher, float[] query, int k, Optional<Filter> filter)
            throws IOException {
        PriorityQueue<Scored> best = new PriorityQueue<>(Scored.BEST_FIRST.reversed());
        DocAndFloatFeatureBuffer block = new DocAndFloatFeatureBuffer();
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            FloatVectorValues vectors = leaf.reader().getFloatVectorValues(Fields.VECTOR);
            VectorScorer scorer = vectors == null || vectors.size() == 0 ? null : vectors.rescorer(query);
            if (scorer == null) {
                continue;
            }
            VectorScorer.Bulk scores = scorer.bulk(filter.isEmpty() ? null : accepted(leaf, filter.get()));
            scores.nextDocsAndScores(
                    DocIdSetIterator.NO_MORE_DOCS, leaf.reader().getLiveDocs(), block);
            while (block.size > 0) {
                Interrupts.check("search");
                collect(best, block, leaf.docBase, k);
                scores.nextDocsAndScores(
                        DocIdSetIterator.NO_MORE_DOCS, leaf.reader().getLiveDocs(), block);
            }
        }
        return best.stream().mapToInt(Scored::number).sorted().toArray();
    }

    private static DocIdSetIterator accepted(LeafReaderContext leaf, Filter filter) throws IOException {
        FixedBitSet documents = FilteredDocuments.in(leaf.reader(), filter);
        return new BitSetIterator(documents, documents.cardinality());
    }

    private static void collect(PriorityQueue<Scored> best, DocAndFloatFeatureBuffer block, int base, int k) {
        for (int i = 0; i < block.size; i++) {
            if (best.size() == k) {
                if (block.features[i] <= best.element().score()) {
                    continue;
                }
                best.poll();
            }
            best.add(new Scored(base + block.docs[i], block.features[i]));
        }
    }

    /// Similarities of documents, for those that have vectors.
    ///
    /// @param numbers ascending
    /// @param query as [VectorSpace#prepare] made it
    static Optional<Float>[] scores(IndexSearcher searcher, VectorSpace space, int[] numbers, float[] query)
            throws IOException {
        @SuppressWarnings({"unchecked", "rawtypes"})
        Optional<Float>[] scores = new Optional[numbers.length];
        Arrays.fill(scores, Optional.empty());
        int i = 0;
        for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
            int end = leaf.docBase + leaf.reader().maxDoc();
            FloatVectorValues vectors =
                    i < numbers.length && numbers[i] < end ? leaf.reader().getFloatVectorValues(Fields.VECTOR) : null;
            KnnVectorValues.DocIndexIterator place = vectors == null ? null : vectors.iterator();
            for (; i < numbers.length && numbers[i] < end; i++) {
                Interrupts.check("search");
                int document = numbers[i] - leaf.docBase;
                // Where the last document had no vector, this is already ahead of it.
                if (place != null && place.docID() < document) {
                    place.advance(document);
                }
                if (vectors != null && place != null && place.docID() == document) {
                    scores[i] = Optional.of(space.score(query, vectors.vectorValue(place.index())));
                }
            }
        }
        return scores;
    }
}
