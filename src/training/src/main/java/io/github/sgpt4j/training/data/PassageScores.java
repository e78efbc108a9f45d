package io.github.sgpt4j.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.text.Quoted;
import java.util.HashMap;
import java.util.Map;

/// A line of `ce-scores.jsonl`: `{"qid": 5, "scores": {"1": 9.25, "2": -3.5, …}}`.
///
/// @param where file and line
/// @param query id
/// @param scores a cross-encoder's score of each passage, by id
record PassageScores(String where, int query, Map<Integer, Double> scores) {
    static PassageScores parse(String where, String line) {
        JsonNode node = JsonReader.STRICT_RECORDS.parseLine(where, line);
        int query = HardNegatives.id(where + ": \"qid\"", HardNegatives.field(where, node, "qid"));
        JsonNode all = HardNegatives.field(where, node, "scores");
        if (!all.isObject()) {
            throw HardNegatives.wrong(where + ": \"scores\"", "an object", all);
        }
        Map<Integer, Double> scores = new HashMap<>();
        for (Map.Entry<String, JsonNode> field : all.properties()) {
            JsonNode value = field.getValue();
            if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
                throw HardNegatives.wrong(
                        "%s: %s".formatted(where, Quoted.of(field.getKey())), "a finite score", value);
            }
            int passage = Ids.parse(() -> where, field.getKey());
            if (scores.put(passage, value.doubleValue()) != null) {
                throw new FormatException("%s: expected passage %d once, got it twice".formatted(where, passage));
            }
        }
        return new PassageScores(where, query, scores);
    }

    double of(int passage) {
        Double score = scores.get(passage);
        if (score == null) {
            throw new FormatException(
                    "%s: expected a score of passage %d for query %d, found none".formatted(where, passage, query));
        }
        return score;
    }
}
