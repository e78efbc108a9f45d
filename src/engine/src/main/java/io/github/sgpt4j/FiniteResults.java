package io.github.sgpt4j;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import java.util.List;

/// Sees to it that nobody gets NaN or infinity for a result: compared with anything, they would be silently wrong.
///
/// @param model that computed
record FiniteResults(Model model) {
    /// @param vector the embedding of text `index`
    /// @throws FormatException if a component is not finite
    void requireEmbedding(float[] vector, List<String> texts, int index) {
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw failure("embeddings", value, "text " + Quoted.of(texts.get(index)), index, texts.size());
            }
        }
    }

    /// Minus infinity is no score either: the softmax of finite numbers has no logarithm of 0.
    ///
    /// @param score of pair `index`
    /// @throws FormatException if the score is not finite
    void requireScore(float score, List<String> queries, List<String> documents, int index) {
        if (!Float.isFinite(score)) {
            String pair = "query %s and document %s"
                    .formatted(Quoted.of(queries.get(index)), Quoted.of(documents.get(index)));
            throw failure("scores", score, pair, index, queries.size());
        }
    }

    private FormatException failure(String results, float value, String input, int index, int count) {
        return new FormatException("%s: expected finite %s, computed %s for %s (%d of %d); %s"
                .formatted(model.directory(), results, value, input, index + 1, count, model.nonFiniteHint()));
    }
}
