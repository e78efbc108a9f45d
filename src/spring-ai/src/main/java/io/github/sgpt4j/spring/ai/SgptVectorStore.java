package io.github.sgpt4j.spring.ai;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.ModelIdentity;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.springframework.ai.document.Document;
import org.springframework.ai.document.DocumentMetadata;
import org.springframework.ai.embedding.BatchingStrategy;
import org.springframework.ai.vectorstore.AbstractVectorStoreBuilder;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.filter.Filter;
import org.springframework.ai.vectorstore.observation.AbstractObservationVectorStore;
import org.springframework.ai.vectorstore.observation.VectorStoreObservationContext;

/// A [SemanticIndex] on disk as a vector store of Spring AI.
///
/// Adding and deleting are durable, and seen by searches, when the methods return. A document with the id
/// of another replaces it; a text that the index already contains is not embedded again. The index embeds
/// documents itself, in batches of its own.
///
/// A document found has the similarity of its embedding to the query's as score and, where that is the
/// cosine, `distance` among its metadata (1 - score) unless it has such a key of its own; a search by words
/// or by both has the score of its ranking. Safe to share between threads; index and model are borrowed and
/// must outlive this.
public final class SgptVectorStore extends AbstractObservationVectorStore {
    private final SemanticIndex index;
    private final SgptEmbeddingModel model;
    private final SearchMode mode;
    private final String name;

    private SgptVectorStore(Builder builder) {
        super(builder);
        index = builder.index;
        model = builder.model;
        mode = builder.mode;
        name = builder.name;
    }

    /// A store over an index.
    ///
    /// @param index open for writing, with the model's encoder; borrowed
    /// @param model embeds queries; borrowed
    public static Builder builder(SemanticIndex index, SgptEmbeddingModel model) {
        return new Builder(index, model);
    }

    /// The index.
    public SemanticIndex index() {
        return index;
    }

    /// Adds documents, or replaces those with the same ids.
    ///
    /// @throws IllegalArgumentException if a document has no text, or metadata of a type that an index
    ///     cannot store
    /// @throws UncheckedIOException if the index cannot be written
    @Override
    public void doAdd(List<Document> documents) {
        List<io.github.sgpt4j.retrieval.corpus.Document> own =
                documents.stream().map(SgptVectorStore::own).toList();
        changing(() -> index.add(own));
    }

    private static io.github.sgpt4j.retrieval.corpus.Document own(Document document) {
        Metadata metadata;
        try {
            metadata = Metadata.of(MetadataNumbers.widened(document.getMetadata()));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("document %s: %s".formatted(document.getId(), e.getMessage()), e);
        }
        return new io.github.sgpt4j.retrieval.corpus.Document(
                document.getId(), Optional.empty(), Texts.of(document), metadata);
    }

    /// Removes documents by id; unknown ids are ignored.
    ///
    /// @throws UncheckedIOException if the index cannot be written
    @Override
    public void doDelete(List<String> ids) {
        changing(() -> index.remove(ids));
    }

    /// Removes the documents that match an expression.
    ///
    /// @throws IllegalArgumentException if the expression cannot be translated
    /// @throws UncheckedIOException if the index cannot be written
    @Override
    protected void doDelete(Filter.Expression expression) {
        changing(() -> index.remove(FilterTranslation.of(expression)));
    }

    /// Searches.
    ///
    /// @return documents, best first
    /// @throws IllegalArgumentException if the filter cannot be translated, or a threshold is given that
    ///     scores of this store cannot be compared with
    /// @throws IllegalStateException if a document was found that something else has added, with a blank id, which
    ///     Spring AI does not take
    /// @throws UncheckedIOException if the index cannot be read
    @Override
    public List<Document> doSimilaritySearch(SearchRequest request) {
        requireComparable(request.getSimilarityThreshold());
        if (request.getTopK() == 0) {
            return List.of();
        }
        SearchOptions options = SearchOptions.DEFAULT.withMode(mode).withLimit(request.getTopK());
        Filter.Expression filter = request.getFilterExpression();
        SearchOptions filtered = filter == null ? options : options.withFilter(FilterTranslation.of(filter));
        return find(request.getQuery(), filtered).stream()
                .filter(hit -> accepted(hit, request.getSimilarityThreshold()))
                .map(this::found)
                .toList();
    }

    private List<Hit> find(String query, SearchOptions options) {
        float[] vector = mode == SearchMode.BM25 ? new float[0] : model.embed(query);
        try {
            return index.search(query, vector, options);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void requireComparable(double threshold) {
        if (threshold == SearchRequest.SIMILARITY_THRESHOLD_ACCEPT_ALL) {
            return;
        }
        if (mode != SearchMode.DENSE || index.similarity() == Similarity.EUCLIDEAN) {
            throw new IllegalArgumentException(
                    "similarity threshold: expected none, since scores of this store are %s, got %s"
                            .formatted(mode == SearchMode.DENSE ? "negative distances" : "ranks of words", threshold));
        }
    }

    private static boolean accepted(Hit hit, double threshold) {
        return threshold == SearchRequest.SIMILARITY_THRESHOLD_ACCEPT_ALL || hit.score() >= threshold;
    }

    private Document found(Hit hit) {
        String id = hit.document().id();
        if (id.isBlank()) {
            throw new IllegalStateException(
                    "document %s of the index: expected an id that is not blank, as Spring AI needs it; add the document with another id"
                            .formatted(id.chars()
                                    .mapToObj("\\u%04x"::formatted)
                                    .collect(Collectors.joining("", "\"", "\""))));
        }
        Map<String, Object> metadata = new HashMap<>(hit.document().metadata().asMap());
        if (mode == SearchMode.DENSE && index.similarity() == Similarity.COSINE) {
            metadata.putIfAbsent(DocumentMetadata.DISTANCE.value(), 1.0 - hit.score());
        }
        return Document.builder()
                .id(id)
                .text(hit.document().joined())
                .metadata(metadata)
                .score((double) hit.score())
                .build();
    }

    @Override
    public VectorStoreObservationContext.Builder createObservationContextBuilder(String operation) {
        return VectorStoreObservationContext.builder(SgptEmbeddingModel.PROVIDER, operation)
                .collectionName(name)
                .dimensions(model.dimensions())
                .similarityMetric(index.similarity().toString().toLowerCase(Locale.ROOT));
    }

    /// The [SemanticIndex].
    @Override
    public <T> Optional<T> getNativeClient() {
        @SuppressWarnings("unchecked") // The caller says what it expects, as with every store.
        T client = (T) index;
        return Optional.of(client);
    }

    /// A change of the index.
    private interface Change {
        void run() throws IOException;
    }

    private void changing(Change change) {
        try {
            change.run();
            index.commit();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Collects what a store needs.
    public static final class Builder extends AbstractVectorStoreBuilder<Builder> {
        private final SemanticIndex index;
        private final SgptEmbeddingModel model;
        private SearchMode mode = SearchMode.DENSE;
        private String name = "index";

        private Builder(SemanticIndex index, SgptEmbeddingModel model) {
            super(model);
            this.index = Objects.requireNonNull(index, "index");
            this.model = model;
        }

        /// How documents are found: by meaning unless set.
        public Builder searchMode(SearchMode value) {
            mode = Objects.requireNonNull(value, "search mode");
            return this;
        }

        /// What observations call the collection; `index` unless set.
        public Builder collectionName(String value) {
            name = Objects.requireNonNull(value, "collection name");
            return this;
        }

        /// Refused: the index forms batches itself.
        ///
        /// @throws UnsupportedOperationException always
        @Override
        public Builder batchingStrategy(BatchingStrategy value) {
            throw new UnsupportedOperationException(
                    "batching strategy: expected none, since the index forms batches itself, got "
                            + value.getClass().getName());
        }

        /// The store.
        ///
        /// @throws IllegalArgumentException if index and model are not of one encoder
        @Override
        public SgptVectorStore build() {
            ModelIdentity own = ModelIdentity.of(model.encoder());
            if (!own.fingerprint().equals(index.model().fingerprint())) {
                throw new IllegalArgumentException(
                        "vector store: the index was " + index.model().mismatch(own));
            }
            return new SgptVectorStore(this);
        }
    }
}
