package io.github.sgpt4j.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A line of `hard-negatives.jsonl`: `{"qid": 5, "pos": [1, 2], "neg": {"bm25": [3, 4], …}}`.
///
/// @param query id
/// @param positives ids of passages
/// @param negatives ids of the passages that each retrieval system found, best first
record HardNegatives(int query, List<Integer> positives, Map<String, List<Integer>> negatives) {
    static HardNegatives parse(String where, String line) {
        JsonNode node = JsonReader.STRICT.parseLine(where, line);
        Map<String, List<Integer>> negatives = new LinkedHashMap<>();
        JsonNode systems = field(where, node, "neg");
        if (!systems.isObject()) {
            throw wrong(where + ": \"neg\"", "an object", systems);
        }
        for (Map.Entry<String, JsonNode> system : systems.properties()) {
            negatives.put(
                    system.getKey(), ids("%s: %s".formatted(where, Quoted.of(system.getKey())), system.getValue()));
        }
        return new HardNegatives(
                id(where + ": \"qid\"", field(where, node, "qid")),
                ids(where + ": \"pos\"", field(where, node, "pos")),
                negatives);
    }

    /// A required field of an object.
    static JsonNode field(String where, JsonNode node, String key) {
        if (!node.isObject()) {
            throw wrong(where, "an object", node);
        }
        JsonNode value = node.get(key);
        if (value == null) {
            throw new FormatException("%s: expected %s, found none".formatted(where, Quoted.of(key)));
        }
        return value;
    }

    /// An id as a number.
    static int id(String where, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
            throw new FormatException("%s: expected a number below 2^31 as an id, got %s"
                    .formatted(where, value.isNumber() ? Quoted.of(value.asText()) : Unreadable.kind(value)));
        }
        return value.intValue();
    }

    private static List<Integer> ids(String where, JsonNode value) {
        if (!value.isArray()) {
            throw wrong(where, "an array of ids", value);
        }
        List<Integer> ids = new ArrayList<>(value.size());
        for (JsonNode element : value) {
            ids.add(id(where, element));
        }
        return ids;
    }

    static FormatException wrong(String where, String expected, JsonNode got) {
        return new FormatException("%s: expected %s, got %s".formatted(where, expected, Unreadable.kind(got)));
    }
}
