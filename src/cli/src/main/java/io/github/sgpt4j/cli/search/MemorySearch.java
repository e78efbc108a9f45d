package io.github.sgpt4j.cli.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.MemoryIndex;
import io.github.sgpt4j.retrieval.Reranking;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Exact search by similarity among documents in memory; closes all of its parts.
///
/// @param model closed with this
/// @param ranker the model of the re-ranker, if it is another one; closed with this
/// @param bi the encoder; closed with this
/// @param reranker closed with this
/// @param index the documents; closed with this
/// @param options how it is searched
public record MemorySearch(
        Model model,
        Optional<Model> ranker,
        BiEncoder bi,
        Optional<CrossEncoder> reranker,
        MemoryIndex index,
        SearchOptions options)
        implements QuerySearch {
    static final String NO_RE_RANKER = "started without --rerank: start again with it";

    @Override
    public List<List<Hit>> search(List<TextRecord> queries) throws IOException {
        List<String> texts = queries.stream().map(TextRecord::joined).toList();
        float[][] vectors = bi.embed(texts, TextKind.QUERY);
        List<List<Hit>> results = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            results.add(search(texts.get(i), vectors[i], options));
        }
        return results;
    }

    @Override
    public List<Hit> search(String query, SearchOptions wanted) throws IOException {
        return search(query, bi.embed(List.of(query), TextKind.QUERY)[0], wanted);
    }

    private List<Hit> search(String query, float[] vector, SearchOptions wanted) throws IOException {
        SearchOptions first =
                wanted.withLimit(Math.max(wanted.limit(), wanted.rerank())).withRerank(0);
        List<Hit> hits = index.search(query, vector, first);
        if (reranker.isPresent() && wanted.rerank() > 0) {
            hits = Reranking.reorder(reranker.get(), query, hits, wanted.rerank());
        }
        return hits.subList(0, Math.min(wanted.limit(), hits.size()));
    }

    @Override
    public Optional<String> refusal(SearchMode mode, boolean rerank) {
        return rerank && reranker.isEmpty() ? Optional.of(NO_RE_RANKER) : Optional.empty();
    }

    @Override
    public List<String> notices(Filter filter) {
        return index.notices(filter);
    }

    @Override
    public Optional<BiEncoder> encoder() {
        return Optional.of(bi);
    }

    @Override
    public int size() {
        return index.size();
    }

    @Override
    public Similarity similarity() {
        return bi.similarity();
    }

    @Override
    public List<String> notices() {
        List<String> notices = new ArrayList<>(Truncations.of(bi));
        reranker.map(Truncations::of).ifPresent(notices::addAll);
        return notices;
    }

    @Override
    public void close() throws IOException {
        index.close();
        reranker.ifPresent(CrossEncoder::close);
        bi.close();
        ranker.ifPresent(Model::close);
        model.close();
    }
}
