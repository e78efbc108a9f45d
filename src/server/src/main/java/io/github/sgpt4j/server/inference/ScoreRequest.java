package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TextCut;
import java.util.List;

/// Documents to score for a query.
///
/// @param encoder scores
/// @param query at least one character
/// @param documents may be empty texts
/// @param field of the body that holds the documents, for messages
/// @param truncate whether pairs that are too long are cut; otherwise they are refused
/// @param cut side that was asked for; pairs can be cut on one side only, which depends on the model
public record ScoreRequest(
        CrossEncoder encoder, String query, List<String> documents, String field, boolean truncate, TextCut cut) {
    /// A score of a token: the number, its object and its place in a list.
    private static final int SCORE_BYTES = 4 + 16 + 8;
    /// A document's place among the results, and its object in the answer.
    private static final int DOCUMENT_BYTES = 512;

    /// Copies the list.
    public ScoreRequest {
        documents = List.copyOf(documents);
    }

    /// Characters that are tokenized.
    public long characters() {
        return query.length() + TextSizes.characters(documents);
    }

    /// About as many bytes as the tokens, the scores of each token of the query, and an answer without texts take up.
    public long answerBytes() {
        long scored = TextSizes.tokens(query, encoder.maxLength());
        long bytes = 0;
        for (String document : documents) {
            long ids = Math.min(encoder.maxLength(), scored + TextSizes.tokens(document, encoder.maxLength()));
            bytes += DOCUMENT_BYTES + scored * SCORE_BYTES + ids * Integer.BYTES;
        }
        return bytes;
    }
}
