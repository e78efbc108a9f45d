package io.github.sgpt4j.retrieval.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.WellFormed;
import java.util.Optional;

/// Parses lines of a JSON Lines file.
final class JsonRecords {
    private final JsonReader reader = JsonReader.ofData(LineReader.MAX_LINE_BYTES);

    /// @param where for errors
    TextRecord parse(String where, String line) {
        JsonNode node = reader.parseLine(where, line);
        if (!node.isObject()) {
            throw new FormatException("%s: expected an object, got %s".formatted(where, Unreadable.kind(node)));
        }
        return new TextRecord(
                where,
                id(where, node),
                text(where, node, "title"),
                text(where, node, "text"),
                text(where, node, "query"),
                text(where, node, "document"));
    }

    /// A string; empty if it is absent or null.
    private static Optional<String> text(String where, JsonNode object, String key) {
        JsonNode value = object.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw new FormatException(
                    "%s: \"%s\": expected a string, got %s".formatted(where, key, Unreadable.kind(value)));
        }
        String text = value.textValue();
        if (!WellFormed.is(text)) {
            throw new FormatException(
                    "%s: \"%s\": expected Unicode text, got half a surrogate pair".formatted(where, key));
        }
        return Optional.of(text);
    }

    private static Optional<String> id(String where, JsonNode object) {
        JsonNode value = object.path("_id");
        return value.isIntegralNumber() ? Optional.of(value.asText()) : text(where, object, "_id");
    }
}
