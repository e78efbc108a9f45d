package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.Objects;
import java.util.Optional;

/// A document found.
///
/// @param score what the first stage ordered by: similarity, BM25 score, or the fused score; higher is
///     better
/// @param similarity of the embeddings of query and document, if the search used embeddings and both
///     have one: the cosine, unless the model asks for another
///     ([io.github.sgpt4j.BiEncoder#similarity])
/// @param bm25 BM25 score, if the search used words and the document contains any of them
/// @param rerankScore the cross-encoder's score, if it scored this document
public record Hit(
        Document document, float score, Optional<Float> similarity, Optional<Float> bm25, Optional<Float> rerankScore) {
    /// Refuses null.
    public Hit {
        Objects.requireNonNull(document, "document");
        Objects.requireNonNull(similarity, "similarity");
        Objects.requireNonNull(bm25, "bm25");
        Objects.requireNonNull(rerankScore, "rerankScore");
    }

    Hit withRerankScore(float value) {
        return new Hit(document, score, similarity, bm25, Optional.of(value));
    }
}
