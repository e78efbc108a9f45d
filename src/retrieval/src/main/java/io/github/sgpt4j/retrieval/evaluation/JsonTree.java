package io.github.sgpt4j.retrieval.evaluation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A place in a JSON file; what is there is checked when it is asked for, and errors name the place.
///
/// @param where such as `data.json: test: cite`
record JsonTree(String where, JsonNode node) {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    static JsonTree read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FormatException(file + ": expected a file, got a directory");
        }
        try {
            return new JsonTree(file.toString(), MAPPER.readTree(file.toFile()));
        } catch (JsonProcessingException e) {
            String line =
                    e.getLocation() == null ? "" : ": line " + e.getLocation().getLineNr();
            throw new FormatException("%s%s: not JSON: %s".formatted(file, line, e.getOriginalMessage()), e);
        }
    }

    /// Fields of an object, in order.
    Map<String, JsonTree> fields() {
        if (!node.isObject()) {
            throw wrong("an object");
        }
        Map<String, JsonTree> fields = new LinkedHashMap<>();
        node.properties().forEach(field -> fields.put(field.getKey(), child(field.getKey(), field.getValue())));
        return fields;
    }

    /// A field of an object, which must have it.
    JsonTree field(String name) {
        if (!node.isObject()) {
            throw wrong("an object");
        }
        JsonNode value = node.get(name);
        if (value == null) {
            throw new FormatException("%s: expected a field %s, found none".formatted(where, ShownText.quoted(name)));
        }
        return child(name, value);
    }

    private JsonTree child(String name, JsonNode value) {
        return new JsonTree(where + ": " + name, value);
    }

    String text() {
        if (!node.isTextual()) {
            throw wrong("a string");
        }
        return node.textValue();
    }

    int integer() {
        if (!node.canConvertToInt() || !node.isIntegralNumber()) {
            throw wrong("a whole number");
        }
        return node.intValue();
    }

    List<String> texts() {
        if (!node.isArray()) {
            throw wrong("an array of strings");
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode element : node) {
            texts.add(child("[" + texts.size() + "]", element).text());
        }
        return texts;
    }

    boolean isNull() {
        return node.isNull();
    }

    private FormatException wrong(String expected) {
        return new FormatException("%s: expected %s, got %s"
                .formatted(where, expected, node.getNodeType().toString().toLowerCase(Locale.ROOT)));
    }
}
