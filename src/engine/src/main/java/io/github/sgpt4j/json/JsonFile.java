package io.github.sgpt4j.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A small JSON file (configuration) with typed access: a value of the wrong type or range is a [FormatException]
/// that names file, key, expected and got. A key whose value is `null` counts as absent.
public final class JsonFile {
    /// Configuration files are a few kilobytes; a larger one is refused unread.
    private static final long MAX_BYTES = 4L << 20;

    private final Path path;
    private final String prefix;
    private final JsonNode node;

    private JsonFile(Path path, String prefix, JsonNode node) {
        this.path = path;
        this.prefix = prefix;
        this.node = node;
    }

    /// Reads a file that must hold one JSON object.
    public static JsonFile readObject(Path path) {
        return object(path, readTree(path));
    }

    /// A value read from a file that must hold one JSON object.
    static JsonFile object(Path path, JsonNode node) {
        if (!node.isObject()) {
            throw new FormatException("%s: expected a JSON object, got %s".formatted(path, Unreadable.kind(node)));
        }
        return new JsonFile(path, "", node);
    }

    /// A JSON object that was already parsed.
    ///
    /// @param path names it in messages
    public static JsonFile of(Path path, JsonNode object) {
        return new JsonFile(path, "", object);
    }

    /// A JSON object from its text.
    ///
    /// @param path names it in messages
    public static JsonFile of(Path path, String json) {
        return of(path, JsonReader.STRICT.parse(path.toString(), json));
    }

    /// As [#readObject], or empty if there is no such file.
    public static Optional<JsonFile> readObjectIfPresent(Path path) {
        return FileEntries.exists(path) ? Optional.of(readObject(path)) : Optional.empty();
    }

    /// Reads a file that holds any JSON value.
    public static JsonNode readTree(Path path) {
        return readTree(path, Files::newInputStream);
    }

    static JsonNode readTree(Path path, JsonReader.Opening opening) {
        return JsonReader.STRICT.read(path, path.toString(), MAX_BYTES, opening);
    }

    public Path path() {
        return path;
    }

    /// All keys of the object, in the order of the file.
    public List<String> keys() {
        List<String> keys = new ArrayList<>();
        node.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    /// Whether the object has no keys.
    public boolean isEmpty() {
        return node.isEmpty();
    }

    /// Whether the key exists with the value `null`.
    public boolean isNull(String key) {
        return node.has(key) && node.get(key).isNull();
    }

    /// The raw value, or empty if absent or `null`.
    public Optional<JsonNode> node(String key) {
        return has(key) ? Optional.of(node.get(key)) : Optional.empty();
    }

    /// Of several keys with the same meaning, the one that is present; otherwise the first, for
    /// messages.
    private String firstPresent(String... keys) {
        String present = null;
        for (String key : keys) {
            if (!has(key)) {
                continue;
            }
            if (present == null) {
                present = key;
            } else if (!node.get(present).equals(node.get(key))) {
                throw wrong(key, "the value of \"%s\", %s".formatted(present, shown(node.get(present))), node.get(key));
            }
        }
        return present == null ? keys[0] : present;
    }

    /// A required integer of at least 1.
    ///
    /// @param keys alternative names; if several are present, they must have the same value
    public int positiveInt(String... keys) {
        String key = firstPresent(keys);
        if (!has(key)) {
            throw new FormatException("%s: expected key \"%s%s\", found none".formatted(path, prefix, key));
        }
        return intAtLeast(1, key);
    }

    public int positiveInt(int fallback, String... keys) {
        String key = firstPresent(keys);
        return has(key) ? intAtLeast(1, key) : fallback;
    }

    public int positiveIntOrZero(int fallback, String key) {
        return has(key) ? intAtLeast(0, key) : fallback;
    }

    private int intAtLeast(int minimum, String key) {
        JsonNode value = node.get(key);
        if (value.isIntegralNumber() && !value.canConvertToInt()) {
            throw wrong(key, "an integer from %d to %d".formatted(minimum, Integer.MAX_VALUE), value);
        }
        if (!value.isIntegralNumber() || value.intValue() < minimum) {
            throw wrong(key, "an integer of at least " + minimum, value);
        }
        return value.intValue();
    }

    public boolean bool(String key, boolean fallback) {
        if (!has(key)) {
            return fallback;
        }
        JsonNode value = node.get(key);
        if (!value.isBoolean()) {
            throw wrong(key, "true or false", value);
        }
        return value.booleanValue();
    }

    public double positiveNumber(double fallback, String... keys) {
        String key = firstPresent(keys);
        if (!has(key)) {
            return fallback;
        }
        JsonNode value = node.get(key);
        double number = value.doubleValue();
        if (!value.isNumber() || !(number > 0) || Double.isInfinite(number)) {
            throw wrong(key, "a positive number", value);
        }
        return number;
    }

    /// A required positive number.
    public double positiveNumber(String key) {
        if (!has(key)) {
            throw new FormatException("%s: expected key \"%s%s\", found none".formatted(path, prefix, key));
        }
        return positiveNumber(1, key);
    }

    public String text(String key, String fallback) {
        if (!has(key)) {
            return fallback;
        }
        JsonNode value = node.get(key);
        if (!value.isTextual()) {
            throw wrong(key, "a string", value);
        }
        return value.textValue();
    }

    /// A nested object, or empty if absent.
    public Optional<JsonFile> object(String key) {
        if (!has(key)) {
            return Optional.empty();
        }
        JsonNode value = node.get(key);
        if (!value.isObject()) {
            throw wrong(key, "an object", value);
        }
        return Optional.of(new JsonFile(path, prefix + key + ".", value));
    }

    /// The error for a wrong value.
    public FormatException wrong(String key, String expected, JsonNode got) {
        return new FormatException(
                "%s: key %s: expected %s, got %s".formatted(path, Quoted.of(prefix + key), expected, shown(got)));
    }

    /// The error for a well-formed but unsupported value.
    ///
    /// @param key a key of this object; with dots for a key of a nested object
    /// @param reason what is not supported, or which value would be
    public UnsupportedModelException unsupported(String key, JsonNode got, String reason) {
        return new UnsupportedModelException(
                "%s: key %s = %s is not supported: %s".formatted(path, Quoted.of(prefix + key), shown(got), reason));
    }

    /// As above, with the value of a key, which may be missing.
    public UnsupportedModelException unsupported(String key, String reason) {
        return unsupported(key, node.path(key).isMissingNode() ? NullNode.getInstance() : node.get(key), reason);
    }

    /// A value for a message: on one line, and short.
    public static String shown(JsonNode value) {
        String text = value.toString();
        String cut = text.length() <= 60 ? text : text.substring(0, 57) + "...";
        return cut.replaceAll("[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}]", "?");
    }
}
