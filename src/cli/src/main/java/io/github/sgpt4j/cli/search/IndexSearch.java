package io.github.sgpt4j.cli.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/// Search in an index on disk. A model is opened only if the search needs one.
public final class IndexSearch implements QuerySearch {
    private final Deque<Closeable> resources = new ArrayDeque<>();
    private final SearchOptions options;
    private final Optional<BiEncoder> encoder;
    private final Optional<CrossEncoder> reranker;
    private final SemanticIndex index;

    /// Opens a model when it is needed.
    @FunctionalInterface
    public interface ModelOpening {
        Model open() throws IOException;
    }

    /// @param rankers opens the model that re-ranks, if it is another one
    /// @param scorers creates a cross-encoder with an open model
    /// @param embedding options for embedding
    /// @param scoring options for scoring
    public IndexSearch(
            Path path,
            SearchOptions options,
            ModelOpening opening,
            Optional<ModelOpening> rankers,
            BiFunction<Model, CrossEncoderOptions, CrossEncoder> scorers,
            BiEncoderOptions embedding,
            CrossEncoderOptions scoring)
            throws IOException {
        this.options = options;
        try {
            boolean dense = options.mode() != SearchMode.BM25;
            boolean reranks = options.rerank() > 0;
            Optional<Model> model =
                    dense || reranks && rankers.isEmpty() ? Optional.of(keep(opening.open())) : Optional.empty();
            Optional<Model> ranker = reranks && rankers.isPresent()
                    ? Optional.of(keep(rankers.get().open()))
                    : model;
            reranker = reranks ? Optional.of(keep(scorers.apply(ranker.orElseThrow(), scoring))) : Optional.empty();
            encoder = dense ? Optional.of(keep(BiEncoder.of(model.orElseThrow(), embedding))) : Optional.empty();
            index = encoder.isPresent()
                    ? SemanticIndex.openReadOnly(path, encoder.get())
                    : SemanticIndex.openReadOnly(path);
            resources.push(index::close);
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T keep(T resource) {
        resources.push(() -> {
            try {
                resource.close();
            } catch (RuntimeException | IOException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            }
        });
        return resource;
    }

    @Override
    public int size() throws IOException {
        return index.size();
    }

    /// What in the filter fits no document, as sentences.
    public List<String> filterNotices() throws IOException {
        return options.filter().isPresent() ? index.notices(options.filter().get()) : List.of();
    }

    @Override
    public List<List<Hit>> search(List<TextRecord> queries) throws IOException {
        // Another process may be writing to the index.
        index.refresh();
        return index.search(queries.stream().map(TextRecord::joined).toList(), options, reranker);
    }

    @Override
    public SearchOptions options() {
        return options;
    }

    @Override
    public List<Hit> search(String query, SearchOptions wanted) throws IOException {
        index.refresh();
        return index.search(List.of(query), wanted, reranker).getFirst();
    }

    @Override
    public Optional<String> refusal(SearchMode mode, boolean rerank) {
        if (mode != SearchMode.BM25 && encoder.isEmpty()) {
            return Optional.of("started with --mode bm25, without a model: start again with another mode");
        }
        return rerank && reranker.isEmpty() ? Optional.of(MemorySearch.NO_RE_RANKER) : Optional.empty();
    }

    @Override
    public List<String> notices(Filter filter) throws IOException {
        return index.notices(filter);
    }

    @Override
    public Optional<BiEncoder> encoder() {
        return encoder;
    }

    @Override
    public Similarity similarity() {
        return index.similarity();
    }

    @Override
    public List<String> notices() {
        List<String> notices = new ArrayList<>();
        encoder.map(Truncations::of).ifPresent(notices::addAll);
        reranker.map(Truncations::of).ifPresent(notices::addAll);
        return notices;
    }

    @Override
    public void close() throws IOException {
        while (!resources.isEmpty()) {
            resources.pop().close();
        }
    }
}
