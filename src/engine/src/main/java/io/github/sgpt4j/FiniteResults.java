package io.github.sgpt4j;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import java.util.List;

/// Refuses NaN and infinity as results: any comparison with them would be silently wrong.
///
/// @param model the model that computed
record FiniteResults(Model model) {
    /// Names an input in a message, by its index.
    interface Names {
        String name(int index);

        /// Names texts by what they are.
        static Names ofTexts(List<String> texts) {
            return i -> "text %s (%d of %d)".formatted(Quoted.of(texts.get(i)), i + 1, texts.size());
        }

        /// Names pairs by what they are.
        static Names ofPairs(List<String> queries, List<String> documents) {
            return i -> "query %s and document %s (%d of %d)"
                    .formatted(Quoted.of(queries.get(i)), Quoted.of(documents.get(i)), i + 1, queries.size());
        }

        /// Names inputs by their places only.
        ///
        /// @param what `text`
        static Names ofPlaces(String what, int count) {
            return i -> "%s %d of %d".formatted(what, i + 1, count);
        }
    }

    /// @param vector the embedding of text `index`
    /// @throws FormatException if a component is not finite
    void requireEmbedding(float[] vector, Names texts, int index) {
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw failure("embeddings", value, texts.name(index));
            }
        }
    }

    /// Minus infinity is not a valid score either: the softmax of finite numbers is never 0.
    ///
    /// @param score the score of pair `index`
    /// @throws FormatException if the score is not finite
    void requireScore(float score, Names pairs, int index) {
        if (!Float.isFinite(score)) {
            throw failure("scores", score, pairs.name(index));
        }
    }

    private FormatException failure(String results, float value, String input) {
        return new FormatException("%s: expected finite %s, computed %s for %s; %s"
                .formatted(model.directory(), results, value, input, model.nonFiniteHint()));
    }
}
