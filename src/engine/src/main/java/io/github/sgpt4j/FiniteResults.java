package io.github.sgpt4j;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import java.util.List;

/// Refuses NaN and infinity as results: any comparison with them would be silently wrong.
///
/// @param model the model that computed
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

    /// Minus infinity is not a valid score either: the softmax of finite numbers is never 0.
    ///
    /// @param score the score of pair `index`
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
