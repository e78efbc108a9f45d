package io.github.sgpt4j.cli.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.Reranking;
import io.github.sgpt4j.retrieval.VectorIndex;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Exact search by similarity among documents in memory.
///
/// @param model closed with this
/// @param encoder closed with this
/// @param reranker closed with this
/// @param index the documents' vectors, with positions in the list as ids
/// @param k maximum number of documents to return
/// @param rerank number of documents that the reranker re-orders
public record MemorySearch(
        Model model,
        BiEncoder encoder,
        Optional<CrossEncoder> reranker,
        List<Document> documents,
        VectorIndex index,
        int k,
        int rerank)
        implements QuerySearch {
    @Override
    public List<List<Hit>> search(List<TextRecord> queries) {
        List<String> texts = queries.stream().map(TextRecord::joined).toList();
        float[][] vectors = encoder.embed(texts, TextKind.QUERY);
        List<List<Hit>> results = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            results.add(search(texts.get(i), vectors[i]));
        }
        return results;
    }

    private List<Hit> search(String query, float[] vector) {
        List<Hit> hits = index.search(vector, Math.max(k, rerank)).stream()
                .map(this::hit)
                .toList();
        if (reranker.isPresent()) {
            hits = Reranking.reorder(reranker.get(), query, hits, rerank);
        }
        return hits.subList(0, Math.min(k, hits.size()));
    }

    private Hit hit(VectorIndex.Match hit) {
        return new Hit(
                documents.get(Integer.parseInt(hit.id())),
                hit.similarity(),
                Optional.of(hit.similarity()),
                Optional.empty(),
                Optional.empty());
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
    public void close() {
        reranker.ifPresent(CrossEncoder::close);
        encoder.close();
        model.close();
    }
}
