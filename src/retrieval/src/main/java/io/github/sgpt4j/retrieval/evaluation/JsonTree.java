package io.github.sgpt4j.retrieval.evaluation;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A place in a JSON file; its content is checked when it is read, and errors name the place.
///
/// @param where for example `data.json: test: cite`
record JsonTree(String where, JsonNode node) {
    private static final JsonReader JSON = JsonReader.ofData(LineReader.MAX_LINE_BYTES);

    static JsonTree read(Path file) {
        if (Files.isDirectory(file)) {
            throw new FormatException(file + ": expected a file, got a directory");
        }
        return new JsonTree(file.toString(), JSON.read(file, file.toString(), Long.MAX_VALUE));
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

    /// A required field of an object.
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
        return new FormatException("%s: expected %s, got %s".formatted(where, expected, Unreadable.kind(node)));
    }
}
