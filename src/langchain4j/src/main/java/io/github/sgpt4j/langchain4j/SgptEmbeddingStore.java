package io.github.sgpt4j.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.EmbeddingSearchResult;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.langchain4j.store.embedding.RelevanceScore;
import dev.langchain4j.store.embedding.filter.Filter;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Embeddings with their texts and metadata in a [SemanticIndex] on disk, which `sgpt search`, the server
/// and [SgptContentRetriever] can search too. Safe to share between threads.
///
/// - An index belongs to one model: add and search with embeddings of that model, used in the same way.
///   Those of another number of dimensions are refused; other mistakes cannot be noticed here.
/// - Every call that adds or removes is written durably before it returns, and later searches see it. What
///   one call adds appears at once. So add many embeddings together.
/// - An id that is there already is replaced. So is an earlier one of the same call.
/// - A match's embedding has length 1. Its metadata have whole numbers as [Long], others as [Double], and a
///   [java.util.UUID] as text, which all getters accept.
/// - Scores are (1 + cosine) / 2. Models whose embeddings are compared in another way are refused;
///   [SgptContentRetriever] searches with them.
/// - Filters are those of [io.github.sgpt4j.retrieval.filter.Filter], so numbers are never equal to
///   strings. `ContainsString`, a UUID that is greater or less, and filters of one's own are refused.
/// - A search finds neighbours by a graph and may miss some; [Builder#exact] compares with all. The text of
///   a query is not used: [SgptContentRetriever] searches by words too.
///
/// Failures to read or write are [UncheckedIOException]s, others those of [SemanticIndex].
public final class SgptEmbeddingStore implements EmbeddingStore<TextSegment>, AutoCloseable {
    private final SemanticIndex index;
    private final boolean owned;
    private final SearchOptions options;

    private SgptEmbeddingStore(SemanticIndex index, boolean owned, SearchOptions options) {
        this.index = index;
        this.owned = owned;
        this.options = options;
    }

    /// A store to set up.
    public static Builder builder() {
        return new Builder();
    }

    /// Sets up a [SgptEmbeddingStore]: over a folder and the model of the embeddings, or over an index that
    /// is open already.
    public static final class Builder {
        private @Nullable Path path;
        private @Nullable BiEncoder encoder;
        private @Nullable IndexOptions indexOptions;
        private @Nullable SemanticIndex index;
        private SearchOptions search = SearchOptions.DEFAULT;

        private Builder() {}

        /// The folder of the index, which is created if it does not exist. Nothing else may write it
        /// meanwhile.
        public Builder path(Path value) {
            path = Objects.requireNonNull(value, "path");
            return this;
        }

        /// The model of the embeddings, by which the index recognises it. It is borrowed: the caller closes
        /// it after the store.
        public Builder encoder(BiEncoder value) {
            encoder = Objects.requireNonNull(value, "encoder");
            return this;
        }

        /// As [#encoder].
        public Builder embeddingModel(SgptEmbeddingModel value) {
            return encoder(value.encoder());
        }

        /// How the index is made; otherwise as it was, or with the defaults.
        public Builder indexOptions(IndexOptions value) {
            indexOptions = Objects.requireNonNull(value, "indexOptions");
            return this;
        }

        /// An index that is open. It is borrowed: the caller closes it after the store.
        public Builder index(SemanticIndex value) {
            index = Objects.requireNonNull(value, "index");
            return this;
        }

        /// With a query's embedding compared with every other, or only with those that the graph leads to.
        public Builder exact(boolean value) {
            search = search.withExact(value);
            return this;
        }

        /// With this many embeddings collected from the graph before the best are chosen: more make a search
        /// more accurate and slower.
        ///
        /// @throws IllegalArgumentException if not positive
        public Builder candidates(int value) {
            search = search.withCandidates(value);
            return this;
        }

        /// Opens the store.
        ///
        /// @throws IllegalArgumentException if neither or both of a folder with a model and an index were
        ///     given, or the model's embeddings are not compared by the cosine
        /// @throws UncheckedIOException if the index cannot be read or written; with
        ///     [io.github.sgpt4j.retrieval.IndexInUseException] as its cause, if something else writes it
        /// @throws io.github.sgpt4j.error.FormatException if the index is broken, or was made with another
        ///     model
        public SgptEmbeddingStore build() {
            if (index != null) {
                requireNone("path", path);
                requireNone("encoder", encoder);
                requireNone("indexOptions", indexOptions);
                requireCosine(index.similarity());
                return new SgptEmbeddingStore(index, false, search);
            }
            if (path == null || encoder == null) {
                throw new IllegalArgumentException(
                        "embedding store: expected an index, or a path and the model of the embeddings, got %s"
                                .formatted(path != null ? "a path only" : encoder != null ? "a model only" : "none"));
            }
            requireCosine(encoder.similarity());
            return new SgptEmbeddingStore(open(path, encoder), true, search);
        }

        private SemanticIndex open(Path folder, BiEncoder with) {
            try {
                return indexOptions == null
                        ? SemanticIndex.open(folder, with)
                        : SemanticIndex.open(folder, with, indexOptions);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void requireNone(String name, @Nullable Object value) {
            if (value != null) {
                throw new IllegalArgumentException(
                        "%s: expected none beside an index that is already open, got one".formatted(name));
            }
        }

        private static void requireCosine(Similarity similarity) {
            if (similarity != Similarity.COSINE) {
                throw new IllegalArgumentException(
                        "embedding store: expected embeddings that are compared by cosine, as scores from 0 to 1 need, got %s"
                                .formatted(similarity));
            }
        }
    }

    /// The index, for example for a [SgptContentRetriever] over what this store contains.
    public SemanticIndex index() {
        return index;
    }

    @Override
    public String add(Embedding embedding) {
        return addAll(List.of(embedding)).getFirst();
    }

    @Override
    public void add(String id, Embedding embedding) {
        addAll(Collections.singletonList(id), List.of(embedding), null);
    }

    @Override
    public String add(Embedding embedding, @Nullable TextSegment segment) {
        return addAll(List.of(embedding), Collections.singletonList(segment)).getFirst();
    }

    @Override
    public List<String> addAll(List<Embedding> embeddings) {
        List<String> ids = generateIds(embeddings.size());
        addAll(ids, embeddings, null);
        return ids;
    }

    /// Adds embeddings with their texts.
    ///
    /// @param segments null for embeddings alone; so may be an element
    /// @throws IllegalArgumentException if the lists have different lengths, an id is blank, metadata are
    ///     not supported, or an embedding is not of the model's dimension, not finite, or zero, so that it
    ///     has no direction to be compared by
    @Override
    public void addAll(List<String> ids, List<Embedding> embeddings, @Nullable List<@Nullable TextSegment> segments) {
        StoredEmbeddings added = StoredEmbeddings.of(ids, embeddings, segments);
        if (!ids.isEmpty()) {
            changing(() -> index.add(added.documents(), added.vectors()));
        }
    }

    /// Removes embeddings; ids that are not there are ignored.
    @Override
    public void removeAll(@Nullable Collection<String> ids) {
        if (ids == null || ids.isEmpty()) {
            throw new IllegalArgumentException("ids cannot be null or empty");
        }
        changing(() -> index.remove(ids));
    }

    /// Removes the embeddings whose metadata a filter accepts.
    ///
    /// @throws UnsupportedOperationException if the index has no such filter
    @Override
    public void removeAll(@Nullable Filter filter) {
        if (filter == null) {
            throw new IllegalArgumentException("filter cannot be null");
        }
        changing(() -> index.remove(FilterTranslation.translate(filter)));
    }

    @Override
    public void removeAll() {
        changing(index::removeAll);
    }

    /// @throws UnsupportedOperationException if the index has no such filter
    /// @throws IllegalStateException if a document was found that something else has added, with a blank id or a
    ///     blank name of metadata, which the framework does not take
    @Override
    public EmbeddingSearchResult<TextSegment> search(EmbeddingSearchRequest request) {
        SearchOptions asked =
                request.filter() == null ? options : options.withFilter(FilterTranslation.translate(request.filter()));
        try {
            List<Hit> hits =
                    index.search(request.queryEmbedding().vector(), asked.withLimit(request.maxResults())).stream()
                            .filter(hit -> score(hit) >= request.minScore())
                            .toList();
            Map<String, float[]> vectors =
                    index.vectors(hits.stream().map(hit -> hit.document().id()).toList());
            return new EmbeddingSearchResult<>(
                    hits.stream().map(hit -> match(hit, vectors)).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double score(Hit hit) {
        return Math.clamp(RelevanceScore.fromCosineSimilarity(hit.score()), 0.0, 1.0);
    }

    /// @param vectors by id; one is missing if it was removed since the search
    private static EmbeddingMatch<TextSegment> match(Hit hit, Map<String, float[]> vectors) {
        String id = hit.document().id();
        if (Segments.isBlank(id)) {
            throw new IllegalStateException(
                    "document %s of the index: expected an id that is not blank, as LangChain4j needs it; add the document with another id"
                            .formatted(Segments.shownBlank(id)));
        }
        float[] vector = vectors.get(id);
        return new EmbeddingMatch<>(
                score(hit),
                id,
                vector == null ? null : Embedding.from(vector),
                Segments.segment(hit.document()).orElse(null));
    }

    /// A change of the index.
    @FunctionalInterface
    private interface Change {
        void make() throws IOException;
    }

    private void changing(Change change) {
        try {
            change.make();
            index.commit();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Closes the index if it was opened by the builder.
    @Override
    public void close() {
        if (owned) {
            try {
                index.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
