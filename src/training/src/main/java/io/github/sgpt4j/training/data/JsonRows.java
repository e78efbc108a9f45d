package io.github.sgpt4j.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.JsonText;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Rows of a JSON Lines file: an object with `query` or `anchor`, `positive`, and negatives under
/// `negative`, `negative_1`, `negative_2` and so on, in the order of the object. Positives and negatives
/// are a string or an array of strings. Other keys are ignored, unless they begin like one of these, so
/// that a misspelled key is not taken for none.
final class JsonRows implements RowFormat {
    private static final Pattern NEGATIVE = Pattern.compile("negative(_[0-9]+)?");
    private static final Pattern SIMILAR = Pattern.compile("(?i)\\s*(neg|pos|quer|anchor).*", Pattern.DOTALL);

    @Override
    public Row parse(String where, String line) {
        JsonNode node = JsonReader.STRICT.parseLine(where, line);
        if (!node.isObject()) {
            throw new FormatException("%s: expected an object, got %s".formatted(where, Unreadable.kind(node)));
        }
        List<String> anchors = new ArrayList<>();
        List<String> positives = new ArrayList<>();
        List<String> negatives = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            String key = field.getKey();
            String place = "%s: %s".formatted(where, Quoted.of(key));
            if (key.equals("query") || key.equals("anchor")) {
                anchors.add(text(place, field.getValue()));
            } else if (key.equals("positive")) {
                addTexts(positives, place, field.getValue());
            } else if (NEGATIVE.matcher(key).matches()) {
                addTexts(negatives, place, field.getValue());
            } else if (SIMILAR.matcher(key).matches()) {
                throw new FormatException(
                        "%s: expected the keys \"query\" or \"anchor\", \"positive\" and \"negative\", got %s"
                                .formatted(where, Quoted.of(key)));
            }
        }
        if (anchors.size() != 1) {
            throw new FormatException("%s: expected \"query\" or \"anchor\", found %s"
                    .formatted(where, anchors.isEmpty() ? "neither" : "both"));
        }
        if (positives.isEmpty()) {
            throw new FormatException(where + ": expected \"positive\", found none");
        }
        return new Row(anchors.getFirst(), positives, negatives);
    }

    private static void addTexts(List<String> texts, String place, JsonNode value) {
        if (!value.isArray()) {
            texts.add(text(place, value));
            return;
        }
        if (value.isEmpty()) {
            throw new FormatException(place + ": expected at least one text, got an empty array");
        }
        for (JsonNode element : value) {
            texts.add(text(place, element));
        }
    }

    private static String text(String place, JsonNode value) {
        return Texts.stripped(() -> place, JsonText.of(() -> place, value));
    }
}
