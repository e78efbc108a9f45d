package io.github.sgpt4j.tokenizer.files;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.WellFormed;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A JSON object with its location and typed access to its members: every error names file and key.
///
/// @param file file name
/// @param path dotted keys of the object, empty for the root
/// @param node the object
public record JsonFields(String file, String path, JsonNode node) {
    public JsonFields {
        if (!node.isObject()) {
            throw new FormatException(
                    "%s: expected an object, got %s".formatted(at(file, path), Unreadable.kind(node)));
        }
    }

    /// File and key of this object.
    public String where() {
        return at(file, path);
    }

    private static String at(String file, String path) {
        return path.isEmpty() ? file : file + ": " + path;
    }

    /// File and key of a member.
    public String where(String key) {
        return file + ": " + child(key);
    }

    private String child(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    /// Refuses members other than these, unless they are null.
    public void allow(Set<String> keys) {
        node.properties().forEach(member -> {
            if (!keys.contains(member.getKey()) && !member.getValue().isNull()) {
                throw new UnsupportedModelException("%s: unknown key %s".formatted(file, child(member.getKey())));
            }
        });
    }

    private JsonNode require(String key) {
        JsonNode value = node.get(key);
        if (value == null || value.isNull()) {
            throw new FormatException("%s is missing".formatted(where(key)));
        }
        return value;
    }

    public String string(String key) {
        return string(require(key), where(key));
    }

    public String string(String key, String absent) {
        return has(key) ? string(key) : absent;
    }

    @Nullable
    public String stringOrNull(String key) {
        return has(key) ? string(key) : null;
    }

    public boolean flag(String key, boolean absent) {
        return has(key) ? flag(key) : absent;
    }

    public boolean flag(String key) {
        JsonNode value = require(key);
        if (!value.isBoolean()) {
            throw new FormatException(
                    "%s: expected true or false, got %s".formatted(where(key), Unreadable.kind(value)));
        }
        return value.booleanValue();
    }

    /// An integer of at least `min`.
    public int integer(String key, int min) {
        return integer(require(key), where(key), min);
    }

    public JsonFields object(String key) {
        return new JsonFields(file, child(key), require(key));
    }

    public List<JsonFields> objects(String key) {
        List<JsonFields> result = new ArrayList<>();
        for (JsonNode element : array(key)) {
            result.add(new JsonFields(file, child(key) + "[" + result.size() + "]", element));
        }
        return result;
    }

    JsonNode array(String key) {
        JsonNode value = require(key);
        if (!value.isArray()) {
            throw new FormatException("%s: expected an array, got %s".formatted(where(key), Unreadable.kind(value)));
        }
        return value;
    }

    List<Integer> integers(String key, int min) {
        List<Integer> result = new ArrayList<>();
        for (JsonNode element : array(key)) {
            result.add(integer(element, where(key), min));
        }
        return result;
    }

    /// A member that is exactly one code point.
    int codePoint(String key) {
        String text = string(key);
        if (text.isEmpty() || text.codePointCount(0, text.length()) != 1) {
            throw new FormatException("%s: expected one character, got \"%s\"".formatted(where(key), text));
        }
        return text.codePointAt(0);
    }

    public static int integer(JsonNode value, String where, int min) {
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < min) {
            String got = value.isNumber() && value.toString().length() < 30 ? value.toString() : Unreadable.kind(value);
            throw new FormatException("%s: expected an integer of at least %d, got %s".formatted(where, min, got));
        }
        return value.intValue();
    }

    public static String string(JsonNode value, String where) {
        if (!value.isTextual()) {
            throw new FormatException("%s: expected a string, got %s".formatted(where, Unreadable.kind(value)));
        }
        String text = value.textValue();
        if (!WellFormed.is(text)) {
            throw new FormatException("%s: expected characters, got an unpaired surrogate".formatted(where));
        }
        return text;
    }
}
