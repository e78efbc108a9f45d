package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.passage.Passage;
import io.github.sgpt4j.retrieval.passage.SplitText;
import java.util.Objects;
import java.util.Optional;

/// A document found.
///
/// @param score what the first stage ordered by: similarity, BM25 score, or the fused score; higher is
///     better
/// @param similarity of the embeddings of query and document, if the search used embeddings and both
///     have one: the cosine, unless the model asks for another
///     ([io.github.sgpt4j.BiEncoder#similarity]); of the best passage if the document has several, or the
///     mean of its best ([SearchOptions#withBestPassages])
/// @param bm25 BM25 score, if the search used words and the document contains any of them
/// @param rerankScore the cross-encoder's score, if it scored this document
/// @param passage the part of the document's text that matched best, by meaning, by words, or by both, as the
///     search found the document: one of its passages, or the whole text if it was not split
public record Hit(
        Document document,
        float score,
        Optional<Float> similarity,
        Optional<Float> bm25,
        Optional<Float> rerankScore,
        Passage passage) {
    /// Refuses null.
    public Hit {
        Objects.requireNonNull(document, "document");
        Objects.requireNonNull(similarity, "similarity");
        Objects.requireNonNull(bm25, "bm25");
        Objects.requireNonNull(rerankScore, "rerankScore");
        Objects.requireNonNull(passage, "passage");
    }

    /// A hit of a whole document.
    public Hit(
            Document document,
            float score,
            Optional<Float> similarity,
            Optional<Float> bm25,
            Optional<Float> rerankScore) {
        this(document, score, similarity, bm25, rerankScore, Passage.whole(document.text()));
    }

    /// The text that a cross-encoder scores: the passage with the document's title in front of it, or title
    /// and text of a document that was not split.
    public String passageText() {
        return passage.text().length() == document.text().length()
                ? document.joined()
                : SplitText.joined(document.title().orElse(""), passage.text());
    }

    Hit withRerankScore(float value) {
        return new Hit(document, score, similarity, bm25, Optional.of(value), passage);
    }
}
