package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.ArrayList;
import java.util.List;

/// Something to embed.
public sealed interface Input {
    /// Its characters, or ids.
    int size();

    /// A text.
    record Text(String text) implements Input {
        @Override
        public int size() {
            return text.length();
        }
    }

    /// A text as token ids.
    record Ids(int[] ids) implements Input {
        @Override
        public int size() {
            return ids.length;
        }
    }

    /// What a request's field holds: a string, an array of token ids, or an array of either.
    ///
    /// @param field its name
    /// @param max most inputs
    /// @throws ApiException if it is something else, an input is empty, or there are too many
    static List<Input> list(JsonObject body, String field, int max) {
        Json value = body.required(field, "a string, an array of token ids, or an array of either");
        List<Input> inputs = switch (value) {
            case Json.Text(String text) -> List.of(of(field, value));
            case Json.Integers ids -> List.of(of(field, value));
            case Json.Elements(List<Json> elements) -> all(field, elements, max);
            default -> throw JsonObject.wrong(field, "a string, an array of token ids, or an array of either", value);
        };
        return inputs;
    }

    /// The inputs of such a field, whatever they are: one, unless it is an array that is no array of token ids.
    ///
    /// @throws ApiException if there are none
    static List<Json> elements(JsonObject body, String field) {
        Json value = body.required(field, "a string, an array of token ids, or an array of either");
        if (!(value instanceof Json.Elements(List<Json> elements))) {
            return List.of(value);
        }
        if (elements.isEmpty()) {
            throw new ApiException(
                    Problem.EMPTY_INPUT, field, "%s is empty: expected at least one text".formatted(field));
        }
        return elements;
    }

    private static List<Input> all(String field, List<Json> elements, int max) {
        if (elements.isEmpty()) {
            throw new ApiException(
                    Problem.EMPTY_INPUT, field, "%s is empty: expected at least one text".formatted(field));
        }
        requireAtMost(field, elements.size(), max);
        List<Input> inputs = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            inputs.add(of("%s[%d]".formatted(field, i), elements.get(i)));
        }
        return inputs;
    }

    /// @throws ApiException if there are more texts than a request may have
    static void requireAtMost(String field, int count, int max) {
        if (count > max) {
            throw new ApiException(
                    Problem.TOO_LARGE, field, "%s has %d texts, the limit is %d".formatted(field, count, max));
        }
    }

    /// A text that may not be empty.
    static String text(String place, Json value) {
        String text = JsonObject.text(place, value);
        if (text.isEmpty()) {
            throw new ApiException(Problem.EMPTY_INPUT, place, "%s is an empty string".formatted(place));
        }
        return text;
    }

    /// An input: a string, or an array of token ids.
    ///
    /// @param place of the value, for messages
    /// @throws ApiException if it is something else, or empty
    static Input of(String place, Json value) {
        return switch (value) {
            case Json.Text t -> new Text(text(place, value));
            case Json.Integers(int[] ids) -> new Ids(ids);
            case Json.Elements(List<Json> none)
            when none.isEmpty() ->
                throw new ApiException(Problem.EMPTY_INPUT, place, "%s is an empty array".formatted(place));
            default -> throw JsonObject.wrong(place, "a string or an array of token ids", value);
        };
    }
}
