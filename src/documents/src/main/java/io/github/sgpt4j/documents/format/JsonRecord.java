package io.github.sgpt4j.documents.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// A JSON object as a document: title and text by [RecordFields], metadata from the object `metadata` and
/// from keys that were asked for, its `_id` or `id` as the metadata `id`.
final class JsonRecord {
    private static final String METADATA = "metadata";

    private final FileSource source;
    private boolean told;

    /// @param source for limits, and to be told what was chosen in its first record
    JsonRecord(FileSource source) {
        this.source = source;
    }

    /// @param number the record's place in the file; empty if it is the whole file
    /// @param object that was read
    /// @throws FileProblem if the text is too long, or a value is no metadata
    Content content(OptionalLong number, JsonNode object) throws FileProblem {
        Map<String, String> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (!field.getKey().equals(METADATA) || !field.getValue().isObject()) {
                flatten(field.getKey(), field.getValue(), values);
            }
        }
        RecordFields fields = RecordFields.of(values.keySet());
        if (!told) {
            fields.sentence().ifPresent(source.told());
            told = true;
        }
        Map<String, Object> metadata = new LinkedHashMap<>();
        RecordFields.id(values.keySet()).ifPresent(name -> metadata.put("id", values.getOrDefault(name, "")));
        if (object.path(METADATA).isObject()) {
            for (Map.Entry<String, JsonNode> entry : object.path(METADATA).properties()) {
                put(metadata, entry.getKey(), entry.getValue());
            }
        }
        for (String name : source.limits().metadataFields()) {
            put(metadata, name, object.path(name));
        }
        return new Content(
                number,
                fields.title(values),
                fields.text(values, source.limits().maxCharacters()),
                metadata);
    }

    /// Names of nested values are joined with dots; values of a list stand behind each other.
    private void flatten(String name, JsonNode value, Map<String, String> to) throws FileProblem {
        if (value.isObject()) {
            for (Map.Entry<String, JsonNode> field : value.properties()) {
                flatten(name + "." + field.getKey(), field.getValue(), to);
            }
        } else if (value.isArray()) {
            BoundedText joined = new BoundedText(source.limits().maxCharacters());
            for (JsonNode element : value) {
                joined.append(element.isValueNode() ? element.asText() : element.toString())
                        .append(", ");
            }
            String text = joined.toString();
            to.put(name, text.endsWith(",") ? text.substring(0, text.length() - 1) : text);
        } else if (!value.isNull()) {
            to.put(name, value.asText());
        }
    }

    private static void put(Map<String, Object> metadata, String name, JsonNode value) throws FileProblem {
        if (value.isMissingNode() || value.isNull() || value.isArray() && value.isEmpty()) {
            return;
        }
        if (!value.isArray()) {
            metadata.put(name, single(name, value));
            return;
        }
        List<Object> values = new ArrayList<>();
        for (JsonNode element : value) {
            values.add(single(name, element));
        }
        metadata.put(name, values);
    }

    private static Object single(String name, JsonNode value) throws FileProblem {
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
        throw new FileProblem("metadata %s: expected a string, number, boolean, or a list of these, got %s"
                .formatted(Quoted.of(name), Unreadable.kind(value)));
    }
}
