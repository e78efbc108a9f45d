package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;

/// Finds documents by meaning, by words, or both, in one state of an index.
///
/// @param searcher over that state
/// @param analyzer for words
/// @param space of the vectors
/// @param options how to search
record FirstStage(IndexSearcher searcher, Analyzer analyzer, VectorSpace space, SearchOptions options) {
    /// The best documents, best first; equal scores in the order of their ids.
    ///
    /// @param vector the query's embedding, as [VectorSpace#prepare] made it; empty if it has none or
    ///     none is needed
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    List<Hit> search(String query, float[] vector) throws IOException {
        Interrupts.check("search");
        int k = options.firstStage();
        return switch (options.mode()) {
            case DENSE -> hits(dense(vector, k), vector, Optional.empty(), query);
            case BM25 -> {
                Query words = words(query);
                yield hits(bm25(words, k), new float[0], Optional.of(words), query);
            }
            case HYBRID -> {
                Query words = words(query);
                List<Scored> dense = dense(vector, options.gathered());
                List<Scored> bm25 = bm25(words, options.gathered());
                yield hits(fuse(dense, bm25, k), vector, Optional.of(words), query);
            }
        };
    }

    private Query words(String query) throws IOException {
        return Words.query(analyzer, query, searcher.getIndexReader());
    }

    private List<Scored> dense(float[] vector, int k) throws IOException {
        return vector.length == 0 ? List.of() : VectorSearch.search(searcher, space, vector, k, options);
    }

    private List<Scored> bm25(Query words, int k) throws IOException {
        return Words.search(searcher, Words.among(words, options.filter()), k);
    }

    private List<Scored> fuse(List<Scored> dense, List<Scored> bm25, int k) throws IOException {
        Map<String, Integer> numbers = new HashMap<>();
        return Fusion.hybrid(named(dense, numbers), named(bm25, numbers), space.similarity()).stream()
                .limit(k)
                .map(hit -> new Scored(numbers.getOrDefault(hit.id(), -1), hit.score()))
                .toList();
    }

    private List<ScoredId> named(List<Scored> scored, Map<String, Integer> numbers) throws IOException {
        Map<Integer, String> ids = new StoredDocuments(searcher).ids(sortedNumbers(scored));
        List<ScoredId> named = new ArrayList<>();
        for (Scored hit : scored) {
            // In a folder of shards, several documents may have one id.
            String id = ids.getOrDefault(hit.number(), "") + '\0' + hit.number();
            numbers.put(id, hit.number());
            named.add(new ScoredId(id, hit.score()));
        }
        named.sort(ScoredId.BEST_FIRST);
        return named;
    }

    private static int[] sortedNumbers(List<Scored> scored) {
        return scored.stream().mapToInt(Scored::number).sorted().toArray();
    }

    /// Adds everything that callers want to know about each document.
    private List<Hit> hits(List<Scored> scored, float[] vector, Optional<Query> words, String query)
            throws IOException {
        int[] numbers = sortedNumbers(scored);
        List<StoredDocuments.Split> documents = new StoredDocuments(searcher).split(numbers);
        List<PassageScores> similarities =
                vector.length == 0 ? List.of() : VectorSearch.scores(searcher, space, numbers, vector);
        Map<Integer, Float> wordScores = words.isEmpty() ? Map.of() : Words.scores(searcher, words.get(), numbers);
        BestPassage best = new BestPassage(
                words.isEmpty() ? Optional.empty() : Optional.of(QueryWords.of(query, searcher.getIndexReader())));
        List<Hit> hits = new ArrayList<>();
        for (Scored hit : scored) {
            int place = Arrays.binarySearch(numbers, hit.number());
            StoredDocuments.Split found = documents.get(place);
            Optional<PassageScores> passages =
                    similarities.isEmpty() ? Optional.empty() : Optional.of(similarities.get(place));
            if (passages.isPresent()) {
                StoredDocuments.requirePassages(
                        found.document().id(), found.ranges(), passages.get().each().length);
            }
            hits.add(new Hit(
                    found.document(),
                    hit.score(),
                    passages.flatMap(scores -> scores.pooled(options.bestPassages())),
                    Optional.ofNullable(wordScores.get(hit.number())),
                    Optional.empty(),
                    best.of(found.document(), found.ranges(), passages)));
        }
        hits.sort((a, b) -> ScoredId.BEST_FIRST.compare(named(a), named(b)));
        return hits;
    }

    private static ScoredId named(Hit hit) {
        return new ScoredId(hit.document().id(), hit.score());
    }
}
