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
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Exact search by similarity among documents in memory; closes all of its parts.
///
/// @param model closed with this
/// @param encoder closed with this
/// @param reranker closed with this
/// @param index the documents; closed with this
/// @param options how it is searched
public record MemorySearch(
        Model model, BiEncoder encoder, Optional<CrossEncoder> reranker, MemoryIndex index, SearchOptions options)
        implements QuerySearch {
    @Override
    public List<List<Hit>> search(List<TextRecord> queries) throws IOException {
        List<String> texts = queries.stream().map(TextRecord::joined).toList();
        float[][] vectors = encoder.embed(texts, TextKind.QUERY);
        List<List<Hit>> results = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            results.add(search(texts.get(i), vectors[i]));
        }
        return results;
    }

    private List<Hit> search(String query, float[] vector) throws IOException {
        SearchOptions first =
                options.withLimit(Math.max(options.limit(), options.rerank())).withRerank(0);
        List<Hit> hits = index.search(query, vector, first);
        if (reranker.isPresent()) {
            hits = Reranking.reorder(reranker.get(), query, hits, options.rerank());
        }
        return hits.subList(0, Math.min(options.limit(), hits.size()));
    }

    @Override
    public Similarity similarity() {
        return encoder.similarity();
    }

    @Override
    public List<String> notices() {
        List<String> notices = new ArrayList<>(Truncations.of(encoder));
        reranker.map(Truncations::of).ifPresent(notices::addAll);
        return notices;
    }

    @Override
    public void close() throws IOException {
        index.close();
        reranker.ifPresent(CrossEncoder::close);
        encoder.close();
        model.close();
    }
}
