package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.FilterNotices;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BytesRef;

/// Documents in memory, searched by meaning (every vector is compared), by words (BM25), or both: the
/// answers of a [SemanticIndex] that is searched exactly, without files. That is fast enough for some
/// ten thousand documents. The words are indexed when something is searched by words for the first
/// time. Safe to share between threads.
public final class MemoryIndex implements AutoCloseable {
    private static final String CLOSED = "the documents in memory are closed";

    private final VectorSpace space;
    private final int dimension;
    private final List<Document> documents;

    /// Places in the list by id.
    private final Map<String, Integer> numbers = new HashMap<>();

    /// The documents' vectors as [VectorSpace#prepare] made them.
    private final List<float[]> vectors;

    private Optional<WordIndex> words = Optional.empty();
    private boolean closed;

    /// The documents' words. A document's number here is its place in the list.
    private record WordIndex(Directory directory, Analyzer analyzer, DirectoryReader reader, IndexSearcher searcher) {
        static WordIndex of(List<Document> documents) throws IOException {
            Directory directory = new ByteBuffersDirectory();
            Analyzer analyzer = Words.analyzer();
            // Merges would change the order of documents.
            IndexWriterConfig config = new IndexWriterConfig(analyzer)
                    .setSimilarity(Words.SIMILARITY)
                    .setMergePolicy(NoMergePolicy.INSTANCE);
            try (IndexWriter writer = new IndexWriter(directory, config)) {
                for (Document document : documents) {
                    List<IndexableField> fields = new ArrayList<>(List.of(
                            Words.field(document.joined()),
                            new BinaryDocValuesField(Fields.ID, new BytesRef(document.id()))));
                    MetadataTerms.of(document.metadata()).forEach(term -> fields.add(Fields.metadataTerm(term)));
                    writer.addDocument(fields);
                }
            }
            DirectoryReader reader = DirectoryReader.open(directory);
            return new WordIndex(directory, analyzer, reader, Words.searcher(reader));
        }

        Query query(String text) throws IOException {
            return Words.query(analyzer, text, reader);
        }

        List<Scored> search(Query words, int k, Optional<Filter> filter) throws IOException {
            return Words.search(searcher, Words.among(words, filter), k);
        }

        void close() throws IOException {
            analyzer.close();
            reader.close();
            directory.close();
        }
    }

    /// Documents with their embeddings. Of documents with the same id, the last counts.
    ///
    /// @param dimension of all vectors, at least 1
    /// @param similarity how vectors are compared
    /// @param vectors `[documents][dimension]`; copied
    /// @throws IllegalArgumentException if the vectors do not fit, or a number is not finite
    public MemoryIndex(int dimension, Similarity similarity, List<Document> documents, float[][] vectors) {
        if (documents.size() != vectors.length) {
            throw new IllegalArgumentException(
                    "vectors: expected %d, one per document, got %d".formatted(documents.size(), vectors.length));
        }
        this.dimension = dimension;
        space = new VectorSpace(similarity);
        Map<String, Integer> places = new LinkedHashMap<>();
        for (int i = 0; i < documents.size(); i++) {
            places.put(documents.get(i).id(), i);
        }
        this.documents = places.values().stream().map(documents::get).toList();
        this.vectors = places.values().stream()
                .map(i -> space.prepare(VectorIndex.requireVector(vectors[i], dimension)))
                .toList();
        for (int i = 0; i < this.documents.size(); i++) {
            numbers.put(this.documents.get(i).id(), i);
        }
    }

    /// Number of documents.
    public int size() {
        return documents.size();
    }

    /// How embeddings are compared.
    public Similarity similarity() {
        return space.similarity();
    }

    /// What in a filter fits no document, so that it may be mistaken: names that none has, and values of
    /// another kind than all have, such as the number 12 for the string `"12"`.
    ///
    /// @return sentences
    public List<String> notices(Filter filter) {
        return FilterNotices.of(
                filter, documents.stream().map(Document::metadata).toList());
    }

    /// Searches with a query embedding that was computed elsewhere, by the same model used in the same
    /// way.
    ///
    /// @param query searched for by words
    /// @param vector its embedding, `[dimension]`, of any length; ignored by a search by words only
    /// @param options its `exact` makes no difference
    /// @return documents, best first; equal scores in the order of their ids
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    /// @throws IllegalArgumentException if the vector is needed and does not fit or is not finite, or if
    ///     the options ask for re-ranking
    /// @throws IllegalStateException if this is closed
    public List<Hit> search(String query, float[] vector, SearchOptions options) throws IOException {
        if (options.rerank() > 0) {
            throw new IllegalArgumentException("search by vector: expected no re-ranking, got " + options);
        }
        Interrupts.check("search");
        try {
            return found(query, vector, options);
        } catch (AlreadyClosedException e) {
            throw new IllegalStateException(CLOSED, e);
        }
    }

    private List<Hit> found(String query, float[] vector, SearchOptions options) throws IOException {
        return switch (options.mode()) {
            case DENSE -> {
                float[] similarities = similarities(vector, options.filter());
                yield hits(nearest(similarities, options.limit()), similarities, Map.of());
            }
            case BM25 -> {
                WordIndex index = words();
                List<Scored> found = index.search(index.query(query), options.limit(), options.filter());
                yield hits(found, new float[0], wordScores(found));
            }
            case HYBRID -> hybrid(query, similarities(vector, options.filter()), options);
        };
    }

    private List<Hit> hybrid(String query, float[] similarities, SearchOptions options) throws IOException {
        WordIndex index = words();
        Query terms = index.query(query);
        List<ScoredId> dense = named(nearest(similarities, options.gathered()));
        List<ScoredId> bm25 = named(index.search(terms, options.gathered(), options.filter()));
        List<Scored> fused = Fusion.reciprocalRank(List.of(dense, bm25)).stream()
                .limit(options.limit())
                .map(hit -> new Scored(numbers.getOrDefault(hit.id(), -1), hit.score()))
                .toList();
        int[] sorted = fused.stream().mapToInt(Scored::number).sorted().toArray();
        return hits(fused, similarities, Words.scores(index.searcher(), terms, sorted));
    }

    private static Map<Integer, Float> wordScores(List<Scored> found) {
        Map<Integer, Float> scores = new HashMap<>();
        found.forEach(hit -> scores.put(hit.number(), hit.score()));
        return scores;
    }

    /// Similarities of all documents, NaN for those without a vector or that the filter does not accept;
    /// empty if the query has none.
    private float[] similarities(float[] vector, Optional<Filter> filter) {
        float[] query = space.prepare(VectorIndex.requireVector(vector, dimension));
        if (query.length == 0) {
            return new float[0];
        }
        float[] similarities = new float[vectors.size()];
        for (int i = 0; i < similarities.length; i++) {
            Interrupts.check("search");
            float[] row = vectors.get(i);
            Metadata metadata = documents.get(i).metadata();
            boolean searched =
                    row.length > 0 && filter.map(f -> f.matches(metadata)).orElse(true);
            similarities[i] = searched ? space.score(query, row) : Float.NaN;
        }
        return similarities;
    }

    /// The documents with the highest similarities; of equal ones at the limit, those with the first ids.
    private List<Scored> nearest(float[] similarities, int k) {
        Comparator<Scored> bestFirst = Comparator.comparing(Scored::score)
                .reversed()
                .thenComparing(hit -> documents.get(hit.number()).id());
        PriorityQueue<Scored> worstFirst = new PriorityQueue<>(bestFirst.reversed());
        for (int i = 0; i < similarities.length; i++) {
            if (Float.isNaN(similarities[i])) {
                continue;
            }
            Scored hit = new Scored(i, similarities[i]);
            if (worstFirst.size() < k) {
                worstFirst.add(hit);
            } else if (bestFirst.compare(hit, worstFirst.element()) < 0) {
                worstFirst.poll();
                worstFirst.add(hit);
            }
        }
        return List.copyOf(worstFirst);
    }

    private List<ScoredId> named(List<Scored> scored) {
        return scored.stream()
                .map(hit -> new ScoredId(documents.get(hit.number()).id(), hit.score()))
                .sorted(ScoredId.BEST_FIRST)
                .toList();
    }

    private List<Hit> hits(List<Scored> scored, float[] similarities, Map<Integer, Float> wordScores) {
        return scored.stream()
                .map(hit -> new Hit(
                        documents.get(hit.number()),
                        hit.score(),
                        similarities.length == 0 || Float.isNaN(similarities[hit.number()])
                                ? Optional.empty()
                                : Optional.of(similarities[hit.number()]),
                        Optional.ofNullable(wordScores.get(hit.number())),
                        Optional.empty()))
                .sorted((a, b) -> ScoredId.BEST_FIRST.compare(named(a), named(b)))
                .toList();
    }

    private static ScoredId named(Hit hit) {
        return new ScoredId(hit.document().id(), hit.score());
    }

    private synchronized WordIndex words() throws IOException {
        if (closed) {
            throw new IllegalStateException(CLOSED);
        }
        if (words.isEmpty()) {
            words = Optional.of(WordIndex.of(documents));
        }
        return words.get();
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        if (words.isPresent()) {
            words.get().close();
            words = Optional.empty();
        }
    }
}
