package io.github.sgpt4j.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.langchain4j.rag.query.Query;
import dev.langchain4j.store.embedding.filter.Filter;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Retrieves contents from a [SemanticIndex]: by meaning, by words or both, and re-ranked by a
/// [CrossEncoder] if one is given. Safe to share between threads.
///
/// A content is a document's title and text, as they were embedded. Its segment has the document's
/// metadata, and its title as `title` unless the document has another value of that name; booleans and
/// lists, which the framework does not know, become text. The content's own metadata are `EMBEDDING_ID`,
/// the document's id; `SCORE`, what the search ordered by ([Hit#score]: the similarity, the BM25 score,
/// or the fused score), which is no probability; and `RERANKED_SCORE` where the cross-encoder scored.
///
/// Index and encoder are borrowed: the caller closes them. Failures to read are [UncheckedIOException]s,
/// others those of [SemanticIndex].
public final class SgptContentRetriever implements ContentRetriever {
    private final SemanticIndex index;
    private final SearchOptions options;
    private final Optional<CrossEncoder> reranker;
    private final double minScore;
    private final List<Function<Query, @Nullable Filter>> filters;

    private SgptContentRetriever(Builder builder, SemanticIndex index) {
        this.index = index;
        options = builder.options;
        reranker = Optional.ofNullable(builder.reranker);
        minScore = builder.minScore;
        filters = List.copyOf(builder.filters);
    }

    /// A retriever to set up.
    public static Builder builder() {
        return new Builder();
    }

    /// Sets up a [SgptContentRetriever].
    public static final class Builder {
        private @Nullable SemanticIndex index;
        private SearchOptions options = SearchOptions.DEFAULT;
        private @Nullable CrossEncoder reranker;
        private double minScore = Double.NEGATIVE_INFINITY;
        private final List<Function<Query, @Nullable Filter>> filters = new ArrayList<>();

        private Builder() {}

        /// What is searched. Words need no model; for other searches, the index must be open with one.
        public Builder index(SemanticIndex value) {
            index = Objects.requireNonNull(value, "index");
            return this;
        }

        /// What [SgptEmbeddingStore] contains.
        public Builder embeddingStore(SgptEmbeddingStore value) {
            return index(value.index());
        }

        /// How it is searched, and for how many contents; [SearchOptions#DEFAULT] unless set.
        public Builder searchOptions(SearchOptions value) {
            options = Objects.requireNonNull(value, "searchOptions");
            return this;
        }

        /// What re-ranks as many of the first results as the search options say.
        public Builder reranker(CrossEncoder value) {
            reranker = Objects.requireNonNull(value, "reranker");
            return this;
        }

        /// As [#reranker(CrossEncoder)].
        public Builder reranker(SgptScoringModel value) {
            return reranker(value.encoder());
        }

        /// Leaves out contents whose `SCORE` is lower; its scale depends on the mode of search.
        public Builder minScore(double value) {
            minScore = value;
            return this;
        }

        /// Searches only among documents that a filter accepts, in addition to other filters.
        ///
        /// @throws UnsupportedOperationException if the index has no such filter
        public Builder filter(Filter value) {
            FilterTranslation.translate(value);
            filters.add(query -> value);
            return this;
        }

        /// As [#filter], with a filter that depends on the query, such as the documents of its user; null for
        /// none.
        public Builder dynamicFilter(Function<Query, @Nullable Filter> value) {
            filters.add(Objects.requireNonNull(value, "dynamicFilter"));
            return this;
        }

        /// The retriever.
        ///
        /// @throws IllegalArgumentException if there is no index, or only one of a re-ranker and a number of
        ///     results to re-rank
        public SgptContentRetriever build() {
            if (index == null) {
                throw new IllegalArgumentException("content retriever: expected an index, got none");
            }
            if ((reranker == null) != (options.rerank() == 0)) {
                throw new IllegalArgumentException(
                        "content retriever: expected a re-ranker and search options with a number to re-rank, got only the "
                                + (reranker == null ? "number" : "re-ranker"));
            }
            return new SgptContentRetriever(this, index);
        }
    }

    /// Retrieves contents, best first.
    ///
    /// @throws UnsupportedOperationException if the index has no filter such as the query's
    /// @throws IllegalStateException if a document was added as an embedding without a text, or with a blank
    ///     name of metadata, which the framework does not take
    @Override
    public List<Content> retrieve(Query query) {
        try {
            return index.search(List.of(query.text()), optionsOf(query), reranker).getFirst().stream()
                    .filter(hit -> hit.score() >= minScore)
                    .map(SgptContentRetriever::content)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private SearchOptions optionsOf(Query query) {
        List<io.github.sgpt4j.retrieval.filter.Filter> all = new ArrayList<>();
        options.filter().ifPresent(all::add);
        for (Function<Query, @Nullable Filter> filter : filters) {
            Filter ofQuery = filter.apply(query);
            if (ofQuery != null) {
                all.add(FilterTranslation.translate(ofQuery));
            }
        }
        return all.isEmpty() ? options : options.withFilter(io.github.sgpt4j.retrieval.filter.Filter.and(all));
    }

    private static Content content(Hit hit) {
        TextSegment segment = Segments.segment(hit.document())
                .orElseThrow(() ->
                        new IllegalStateException("document %s: expected a text to retrieve, found an embedding alone"
                                .formatted(hit.document().id())));
        Map<ContentMetadata, Object> metadata = new EnumMap<>(ContentMetadata.class);
        metadata.put(ContentMetadata.EMBEDDING_ID, hit.document().id());
        metadata.put(ContentMetadata.SCORE, (double) hit.score());
        hit.rerankScore().ifPresent(score -> metadata.put(ContentMetadata.RERANKED_SCORE, (double) score));
        return Content.from(segment, metadata);
    }
}
