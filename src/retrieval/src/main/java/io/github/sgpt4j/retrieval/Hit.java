package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.Objects;
import java.util.Optional;

/// A document found.
///
/// @param score what the first stage ordered by: cosine, BM25's score, or the fused score; higher is better
/// @param cosine of query and document, if the search had to do with meaning and both have a meaning
/// @param bm25 score of the words, if the search had to do with words and the document has any of them
/// @param rerankScore the cross-encoder's, if it looked at this document
public record Hit(
        Document document, float score, Optional<Float> cosine, Optional<Float> bm25, Optional<Float> rerankScore) {
    /// Refuses null.
    public Hit {
        Objects.requireNonNull(document, "document");
        Objects.requireNonNull(cosine, "cosine");
        Objects.requireNonNull(bm25, "bm25");
        Objects.requireNonNull(rerankScore, "rerankScore");
    }

    Hit withRerankScore(float value) {
        return new Hit(document, score, cosine, bm25, Optional.of(value));
    }
}
