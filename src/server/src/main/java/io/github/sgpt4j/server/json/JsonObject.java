package io.github.sgpt4j.server.json;

import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// An object of a request's body. A field that is `null` counts as absent; unknown fields are ignored.
///
/// @param path of the object in the body, empty for the body itself
public record JsonObject(String path, Json.Members members) {
    /// A field's value.
    public Optional<Json> value(String name) {
        Json value = members.values().get(name);
        return value == null || value instanceof Json.Null ? Optional.empty() : Optional.of(value);
    }

    /// Whether a field is there.
    public boolean has(String name) {
        return value(name).isPresent();
    }

    /// The full name of a field, for messages.
    public String named(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /// A field that must be there.
    public Json required(String name, String expected) {
        return value(name)
                .orElseThrow(() -> new ApiException(
                        Problem.INVALID_VALUE,
                        named(name),
                        "%s is missing: expected %s".formatted(named(name), expected)));
    }

    /// A string that must be there.
    public String requiredText(String name) {
        return text(named(name), required(name, "a string"));
    }

    /// A string.
    public Optional<String> text(String name) {
        return value(name).map(value -> text(named(name), value));
    }

    /// A truth value.
    public Optional<Boolean> truth(String name) {
        return value(name).map(value -> {
            if (value instanceof Json.Truth(boolean truth)) {
                return truth;
            }
            throw wrong(named(name), "true or false", value);
        });
    }

    /// A whole number.
    public OptionalInt whole(String name) {
        Optional<Json> value = value(name);
        if (value.isEmpty()) {
            return OptionalInt.empty();
        }
        if (value.get() instanceof Json.Whole(int whole)) {
            return OptionalInt.of(whole);
        }
        throw wrong(named(name), "a whole number", value.get());
    }

    /// An object that must be there.
    public JsonObject requiredObject(String name) {
        return object(name).orElseGet(() -> {
            required(name, "an object");
            throw new IllegalStateException(name);
        });
    }

    /// An object.
    public Optional<JsonObject> object(String name) {
        return value(name).map(value -> {
            if (value instanceof Json.Members object) {
                return new JsonObject(named(name), object);
            }
            throw wrong(named(name), "an object", value);
        });
    }

    /// The elements of an array that must be there.
    public List<Json> requiredElements(String name, String expected) {
        Json value = required(name, expected);
        if (value instanceof Json.Elements(List<Json> elements)) {
            return elements;
        }
        throw wrong(named(name), expected, value);
    }

    /// An array of strings that must be there.
    public List<String> requiredTexts(String name) {
        List<Json> elements = requiredElements(name, "an array of strings");
        List<String> texts = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            texts.add(text("%s[%d]".formatted(named(name), i), elements.get(i)));
        }
        return texts;
    }

    /// A value that must be a string.
    ///
    /// @param place of the value, for the message
    public static String text(String place, Json value) {
        if (value instanceof Json.Text(String text)) {
            return text;
        }
        throw wrong(place, "a string", value);
    }

    /// The failure of a value that is not what was expected.
    public static ApiException wrong(String place, String expected, Json got) {
        return new ApiException(
                Problem.INVALID_VALUE, place, "%s: expected %s, got %s".formatted(place, expected, got.described()));
    }
}
