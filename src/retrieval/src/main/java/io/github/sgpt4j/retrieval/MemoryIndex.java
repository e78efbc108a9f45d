package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.FilterNotices;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import io.github.sgpt4j.retrieval.passage.PassageSplitter;
import io.github.sgpt4j.retrieval.passage.SplitText;
import io.github.sgpt4j.retrieval.passage.TextRange;
import io.github.sgpt4j.retrieval.passage.TokenCounter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
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

    /// The documents' passages and vectors, in the order of the list.
    private final List<EmbeddedText> texts;

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

        QueryWords words(String text) throws IOException {
            return QueryWords.of(text, reader);
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
        this(dimension, new VectorSpace(similarity), documents, whole(documents, vectors));
    }

    /// @param texts one per document
    private MemoryIndex(int dimension, VectorSpace space, List<Document> documents, List<Given> texts) {
        this.dimension = dimension;
        this.space = space;
        Map<String, Integer> places = new LinkedHashMap<>();
        for (int i = 0; i < documents.size(); i++) {
            places.put(documents.get(i).id(), i);
        }
        this.documents = places.values().stream().map(documents::get).toList();
        this.texts = places.values().stream()
                .map(i -> texts.get(i).prepare(dimension, space))
                .toList();
        for (int i = 0; i < this.documents.size(); i++) {
            numbers.put(this.documents.get(i).id(), i);
        }
    }

    /// The passages of a document, and their vectors as they were given.
    private record Given(List<TextRange> ranges, List<float[]> vectors) {
        EmbeddedText prepare(int dimension, VectorSpace space) {
            return new EmbeddedText(
                    ranges,
                    vectors.stream()
                            .map(vector -> space.prepare(VectorIndex.requireVector(vector, dimension)))
                            .toList());
        }
    }

    private static List<Given> whole(List<Document> documents, float[][] vectors) {
        if (documents.size() != vectors.length) {
            throw new IllegalArgumentException(
                    "vectors: expected %d, one per document, got %d".formatted(documents.size(), vectors.length));
        }
        List<Given> rows = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            TextRange all = new TextRange(0, documents.get(i).text().length());
            rows.add(new Given(List.of(all), List.of(vectors[i])));
        }
        return rows;
    }

    /// Embeds documents, long ones passage by passage. Of documents with the same id, the last counts.
    ///
    /// @param encoder borrowed for the call
    /// @param passages how long documents are split
    /// @param progress told how many passages are embedded
    /// @throws IllegalArgumentException if the passages do not fit the model
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public static MemoryIndex of(
            BiEncoder encoder, List<Document> documents, PassageOptions passages, ProgressListener progress) {
        return of(
                encoder,
                documents,
                passages,
                (texts, listener) -> encoder.embed(texts, TextKind.DOCUMENT, listener),
                progress);
    }

    /// Turns texts of documents into vectors.
    @FunctionalInterface
    public interface Embedding {
        /// @param progress told how many texts are done
        /// @return `[texts][dimension]`, in the order of `texts`
        float[][] of(List<String> texts, ProgressListener progress);
    }

    /// As [#of(BiEncoder, List, PassageOptions, ProgressListener)], with vectors from elsewhere, such as a cache.
    ///
    /// @param encoder splits documents, and says how vectors are compared
    /// @param embedding gives the vectors that the encoder would compute
    public static MemoryIndex of(
            BiEncoder encoder,
            List<Document> documents,
            PassageOptions passages,
            Embedding embedding,
            ProgressListener progress) {
        passages.requireFit(encoder);
        Optional<PassageSplitter> splitter = passages.isOff()
                ? Optional.empty()
                : Optional.of(new PassageSplitter(passages, TokenCounter.of(encoder)));
        List<SplitText> split = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        for (Document document : documents) {
            Interrupts.check("splitting documents");
            split.add(splitter.map(s -> s.split(document).distinct()).orElseGet(() -> SplitText.whole(document)));
            texts.addAll(split.getLast().texts());
        }
        float[][] vectors = texts.isEmpty() ? new float[0][] : embedding.of(texts, progress);
        List<Given> rows = new ArrayList<>();
        int next = 0;
        for (SplitText each : split) {
            int end = next + each.ranges().size();
            rows.add(new Given(each.ranges(), Arrays.asList(vectors).subList(next, end)));
            next = end;
        }
        return new MemoryIndex(encoder.dimension(), new VectorSpace(encoder.similarity()), documents, rows);
    }

    /// Number of documents.
    public int size() {
        return documents.size();
    }

    /// Number of passages of these documents; as many as documents if none is split.
    public int passages() {
        return texts.stream().mapToInt(text -> text.ranges().size()).sum();
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
        int best = options.bestPassages();
        return switch (options.mode()) {
            case DENSE -> {
                List<Optional<PassageScores>> scores = similarities(vector, options.filter());
                yield hits(nearest(scores, best, options.limit()), scores, best, Map.of(), Optional.empty());
            }
            case BM25 -> {
                WordIndex index = words();
                List<Scored> found = index.search(index.query(query), options.limit(), options.filter());
                yield hits(found, List.of(), best, wordScores(found), Optional.of(index.words(query)));
            }
            case HYBRID -> hybrid(query, similarities(vector, options.filter()), options);
        };
    }

    private List<Hit> hybrid(String query, List<Optional<PassageScores>> scores, SearchOptions options)
            throws IOException {
        int best = options.bestPassages();
        WordIndex index = words();
        Query terms = index.query(query);
        List<ScoredId> dense = named(nearest(scores, best, options.gathered()));
        List<ScoredId> bm25 = named(index.search(terms, options.gathered(), options.filter()));
        List<Scored> fused = Fusion.hybrid(dense, bm25, space.similarity()).stream()
                .limit(options.limit())
                .map(hit -> new Scored(numbers.getOrDefault(hit.id(), -1), hit.score()))
                .toList();
        int[] sorted = fused.stream().mapToInt(Scored::number).sorted().toArray();
        return hits(
                fused, scores, best, Words.scores(index.searcher(), terms, sorted), Optional.of(index.words(query)));
    }

    private static Map<Integer, Float> wordScores(List<Scored> found) {
        Map<Integer, Float> scores = new HashMap<>();
        found.forEach(hit -> scores.put(hit.number(), hit.score()));
        return scores;
    }

    /// Similarities of the passages of all documents, empty for one that the filter does not accept; no
    /// document if the query has no vector.
    private List<Optional<PassageScores>> similarities(float[] vector, Optional<Filter> filter) {
        float[] query = space.prepare(VectorIndex.requireVector(vector, dimension));
        if (query.length == 0) {
            return List.of();
        }
        List<Optional<PassageScores>> similarities = new ArrayList<>(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            Interrupts.check("search");
            Metadata metadata = documents.get(i).metadata();
            boolean searched = filter.map(f -> f.matches(metadata)).orElse(true);
            similarities.add(searched ? Optional.of(similarities(query, texts.get(i))) : Optional.empty());
        }
        return similarities;
    }

    private PassageScores similarities(float[] query, EmbeddedText text) {
        float[] each = new float[text.vectors().size()];
        for (int i = 0; i < each.length; i++) {
            float[] row = text.vectors().get(i);
            each[i] = row.length > 0 ? space.score(query, row) : Float.NaN;
        }
        return new PassageScores(each);
    }

    /// The documents with the highest similarities; of equal ones at the limit, those with the first ids.
    ///
    /// @param best passages of a document that count
    private List<Scored> nearest(List<Optional<PassageScores>> similarities, int best, int k) {
        Comparator<Scored> bestFirst = Comparator.comparing(Scored::score)
                .reversed()
                .thenComparing(hit -> documents.get(hit.number()).id());
        PriorityQueue<Scored> worstFirst = new PriorityQueue<>(bestFirst.reversed());
        for (int i = 0; i < similarities.size(); i++) {
            Optional<Float> score = similarities.get(i).flatMap(scores -> scores.pooled(best));
            if (score.isEmpty()) {
                continue;
            }
            Scored hit = new Scored(i, score.get());
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

    /// @param similarities of all documents; empty if there is no vector
    private List<Hit> hits(
            List<Scored> scored,
            List<Optional<PassageScores>> similarities,
            int best,
            Map<Integer, Float> wordScores,
            Optional<QueryWords> words) {
        BestPassage shown = new BestPassage(words);
        return scored.stream()
                .map(hit -> {
                    Document document = documents.get(hit.number());
                    Optional<PassageScores> scores =
                            similarities.isEmpty() ? Optional.empty() : similarities.get(hit.number());
                    return new Hit(
                            document,
                            hit.score(),
                            scores.flatMap(each -> each.pooled(best)),
                            Optional.ofNullable(wordScores.get(hit.number())),
                            Optional.empty(),
                            shown.of(document, texts.get(hit.number()).ranges(), scores));
                })
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
