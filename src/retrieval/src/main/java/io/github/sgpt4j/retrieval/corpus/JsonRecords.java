package io.github.sgpt4j.retrieval.corpus;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import io.github.sgpt4j.error.FormatException;
import java.util.Optional;

/// Reads lines of a JSON Lines file.
final class JsonRecords {
    private final ObjectMapper mapper = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(LineReader.MAX_LINE_BYTES)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /// @param where for errors
    TextRecord parse(String where, String line) {
        JsonNode node;
        try {
            node = mapper.readTree(line);
        } catch (JsonProcessingException e) {
            throw new FormatException("%s: not JSON: %s".formatted(where, reason(e)), e);
        }
        if (!node.isObject()) {
            throw new FormatException("%s: expected an object, got %s".formatted(where, kind(node)));
        }
        return new TextRecord(
                where,
                id(where, node),
                text(where, node, "title"),
                text(where, node, "text"),
                text(where, node, "query"),
                text(where, node, "document"));
    }

    /// What is wrong, in words that need no knowledge of the JSON library.
    private static String reason(JsonProcessingException e) {
        return switch (e) {
            case JsonEOFException end -> "expected the whole object on one line, the line ends within it";
            case MismatchedInputException more -> "expected one object a line, more follows it";
            default -> e.getOriginalMessage();
        };
    }

    /// A string; none if it is absent or null.
    private static Optional<String> text(String where, JsonNode object, String key) {
        JsonNode value = object.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw new FormatException("%s: \"%s\": expected a string, got %s".formatted(where, key, kind(value)));
        }
        String text = value.textValue();
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!Character.isSurrogatePair(text.charAt(i), i + 1 < text.length() ? text.charAt(i + 1) : 0)) {
                    throw new FormatException("%s: \"%s\": expected Unicode text, got half a surrogate pair (\\u%04x)"
                            .formatted(where, key, (int) text.charAt(i)));
                }
                i++;
            }
        }
        return Optional.of(text);
    }

    private static Optional<String> id(String where, JsonNode object) {
        JsonNode value = object.path("_id");
        return value.isIntegralNumber() ? Optional.of(value.asText()) : text(where, object, "_id");
    }

    private static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "an array";
            case BINARY, POJO, STRING -> "a string";
            case BOOLEAN -> "true or false";
            case MISSING -> "nothing";
            case NULL -> "null";
            case NUMBER -> "a number";
            case OBJECT -> "an object";
        };
    }
}
