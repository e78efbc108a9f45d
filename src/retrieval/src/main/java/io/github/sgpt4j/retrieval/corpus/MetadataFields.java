package io.github.sgpt4j.retrieval.corpus;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which parts of a JSON object are a document's metadata.
///
/// @param object whether the object under `metadata` is
/// @param names of other keys that are, each once
record MetadataFields(boolean object, List<String> names) {
    static final MetadataFields NONE = new MetadataFields(false, List.of());
    static final MetadataFields OBJECT = new MetadataFields(true, List.of());

    private static final String KEY = "metadata";
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(LineReader.MAX_LINE_BYTES)
                    .build())
            .build();

    /// @throws IllegalArgumentException if no metadata can have one of the names
    MetadataFields {
        names = names.stream().map(MetadataValues::checkName).distinct().toList();
    }

    /// Refuses a line that has one of the names twice, of which a tree has the last only.
    ///
    /// @param where the line, for errors
    /// @param line that was parsed before
    void requireOnce(String where, String line) {
        if (!object && names.isEmpty()) {
            return;
        }
        Set<String> found = new HashSet<>();
        try (JsonParser json = FACTORY.createParser(line)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                boolean isObject = object && name.equals(KEY);
                if ((isObject || names.contains(name)) && !found.add(name)) {
                    throw twice(where, isObject ? "" : "metadata ", name);
                }
                if (json.nextToken() == JsonToken.START_OBJECT && isObject) {
                    requireOnce(where, json);
                } else {
                    json.skipChildren();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the line was parsed before", e);
        }
    }

    private static void requireOnce(String where, JsonParser json) throws IOException {
        Set<String> found = new HashSet<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            if (!found.add(name)) {
                throw twice(where, "metadata ", name);
            }
            json.nextToken();
            json.skipChildren();
        }
    }

    private static FormatException twice(String where, String what, String name) {
        return new FormatException("%s: %s%s: expected it once in an object, got it twice"
                .formatted(where, what, MetadataValues.shown(name)));
    }

    /// @param where the line, for errors
    /// @throws FormatException if a value is not one of [Metadata]
    Metadata read(String where, JsonNode line) {
        if (!object && names.isEmpty()) {
            return Metadata.EMPTY;
        }
        Map<String, Object> values = new LinkedHashMap<>();
        if (object) {
            addAll(where, line.path(KEY), values);
        }
        for (String name : names) {
            Optional<Object> value = value(where, name, line.path(name));
            if (value.isPresent() && values.putIfAbsent(name, value.get()) != null) {
                throw refused(where, name, "it either beside \"metadata\" or within", "both");
            }
        }
        try {
            return Metadata.of(values);
        } catch (IllegalArgumentException e) {
            throw new FormatException("%s: %s".formatted(where, e.getMessage()), e);
        }
    }

    private static void addAll(String where, JsonNode metadata, Map<String, Object> values) {
        if (metadata.isMissingNode() || metadata.isNull()) {
            return;
        }
        if (!metadata.isObject()) {
            throw new FormatException(
                    "%s: \"metadata\": expected an object, got %s".formatted(where, Unreadable.kind(metadata)));
        }
        metadata.properties()
                .forEach(entry -> value(where, entry.getKey(), entry.getValue())
                        .ifPresent(value -> values.put(entry.getKey(), value)));
    }

    private static Optional<Object> value(String where, String name, JsonNode value) {
        if (value.isMissingNode() || value.isNull() || value.isArray() && value.isEmpty()) {
            return Optional.empty();
        }
        if (!value.isArray()) {
            return Optional.of(single(where, name, value));
        }
        List<Object> values = new ArrayList<>();
        value.forEach(element -> values.add(single(where, name, element)));
        return Optional.of(values);
    }

    private static Object single(String where, String name, JsonNode value) {
        if (value.isTextual()) {
            return value.textValue();
        }
        if (value.isBoolean()) {
            return value.booleanValue();
        }
        if (value.isIntegralNumber() && value.canConvertToLong()) {
            return value.longValue();
        }
        if (value.isFloatingPointNumber()) {
            return value.doubleValue();
        }
        throw value.isIntegralNumber()
                ? refused(where, name, "whole numbers of 64 bits", "a larger one")
                : refused(where, name, "a string, number, boolean, or a list of these", Unreadable.kind(value));
    }

    private static FormatException refused(String where, String name, String expected, String got) {
        return new FormatException(
                "%s: metadata %s: expected %s, got %s".formatted(where, MetadataValues.shown(name), expected, got));
    }
}
