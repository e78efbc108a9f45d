package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.stream.IntStream;
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
import org.apache.lucene.util.ArrayUtil;
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
        Nearest best = new Nearest(k);
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
                for (int i = 0; i < block.size; i++) {
                    best.add(leaf.docBase + block.docs[i], block.features[i]);
                }
                scores.nextDocsAndScores(
                        DocIdSetIterator.NO_MORE_DOCS, leaf.reader().getLiveDocs(), block);
            }
        }
        return best.numbers();
    }

    private static DocIdSetIterator accepted(LeafReaderContext leaf, Filter filter) throws IOException {
        FixedBitSet documents = FilteredDocuments.in(leaf.reader(), filter);
        return new BitSetIterator(documents, documents.cardinality());
    }

    /// Collects the nearest documents, and all that are as near as the last of them.
    private static final class Nearest {
        private final int k;
        private final PriorityQueue<Scored> best = new PriorityQueue<>(Scored.BEST_FIRST.reversed());

        /// Documents beyond the `k` with the score of the worst of these.
        private int[] tied = new int[0];

        private int count;

        Nearest(int k) {
            this.k = k;
        }

        void add(int number, float score) {
            if (best.size() < k) {
                best.add(new Scored(number, score));
                return;
            }
            float worst = best.element().score();
            if (score == worst) {
                tie(number);
            } else if (score > worst) {
                Scored out = best.remove();
                best.add(new Scored(number, score));
                if (best.element().score() == worst) {
                    tie(out.number());
                } else {
                    count = 0;
                }
            }
        }

        private void tie(int number) {
            tied = ArrayUtil.grow(tied, count + 1);
            tied[count] = number;
            count++;
        }

        /// @return ascending
        int[] numbers() {
            return IntStream.concat(best.stream().mapToInt(Scored::number), Arrays.stream(tied, 0, count))
                    .sorted()
                    .toArray();
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
