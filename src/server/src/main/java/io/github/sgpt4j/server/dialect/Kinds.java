package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.Optional;

/// Kinds of texts by the names that clients have for them.
final class Kinds {
    private Kinds() {}

    /// What `input_type` (OpenAI's compatible servers, Cohere) or `task` (Jina) asks for.
    static Optional<TextKind> asked(JsonObject body) {
        return body.text("input_type")
                .map(name -> parse("input_type", name))
                .or(() -> body.text("task").map(name -> parse("task", name)));
    }

    private static TextKind parse(String field, String name) {
        return switch (name) {
            case "query", "search_query", "retrieval.query" -> TextKind.QUERY;
            case "document", "search_document", "retrieval.passage", "passage" -> TextKind.DOCUMENT;
            case "text" -> TextKind.TEXT;
            default ->
                throw new ApiException(
                        Problem.INVALID_VALUE,
                        field,
                        "%s: expected query, document or text, got something else".formatted(field));
        };
    }
}
