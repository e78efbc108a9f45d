package io.github.sgpt4j.retrieval.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.JsonText;
import io.github.sgpt4j.json.Unreadable;
import java.util.Optional;

/// Parses lines of a JSON Lines file.
final class JsonRecords {
    private final JsonReader reader = JsonReader.ofData(LineReader.MAX_LINE_BYTES);
    private final MetadataFields fields;

    /// @param fields what is read as metadata
    JsonRecords(MetadataFields fields) {
        this.fields = fields;
    }

    /// @param where for errors
    TextRecord parse(String where, String line) {
        JsonNode node = reader.parseLine(where, line);
        if (!node.isObject()) {
            throw new FormatException("%s: expected an object, got %s".formatted(where, Unreadable.kind(node)));
        }
        fields.requireOnce(where, line);
        return new TextRecord(
                where,
                id(where, node),
                JsonText.optional(where, node, "title"),
                JsonText.optional(where, node, "text"),
                JsonText.optional(where, node, "query"),
                JsonText.optional(where, node, "document"),
                fields.read(where, node));
    }

    private static Optional<String> id(String where, JsonNode object) {
        JsonNode value = object.path("_id");
        return value.isIntegralNumber() ? Optional.of(value.asText()) : JsonText.optional(where, object, "_id");
    }
}
