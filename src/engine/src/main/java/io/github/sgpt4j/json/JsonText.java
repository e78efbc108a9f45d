package io.github.sgpt4j.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.WellFormed;
import java.util.Optional;
import java.util.function.Supplier;

/// Texts in JSON objects of users' files.
public final class JsonText {
    private JsonText() {}

    /// The string of a key; empty if it is absent or null.
    ///
    /// @param where the object, for messages
    /// @throws FormatException if it is something else, or no Unicode text
    public static Optional<String> optional(String where, JsonNode object, String key) {
        JsonNode value = object.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        return Optional.of(of(() -> "%s: \"%s\"".formatted(where, key), value));
    }

    /// The string that a value is.
    ///
    /// @param place names the value in messages
    /// @throws FormatException if it is something else, or no Unicode text
    public static String of(Supplier<String> place, JsonNode value) {
        if (!value.isTextual()) {
            throw new FormatException("%s: expected a string, got %s".formatted(place.get(), Unreadable.kind(value)));
        }
        if (!WellFormed.is(value.textValue())) {
            throw new FormatException(place.get() + ": expected Unicode text, got half a surrogate pair");
        }
        return value.textValue();
    }
}
