package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Iterator;

/// What is done with a key of a checkpoint's file.
sealed interface KeyRule {
    /// The engine asks for it.
    record Used() implements KeyRule {}

    /// It changes neither embeddings nor scores.
    ///
    /// @param why a few words
    record Harmless(String why) implements KeyRule {}

    /// It changes numbers, and the engine does not follow it.
    ///
    /// @param neutral values that change nothing, a JSON array
    /// @param why a few words
    record Refused(JsonNode neutral, String why) implements KeyRule {
        /// Whether a value changes nothing. `null` does not, and numbers are compared as such: 1 is 1.0.
        boolean allows(JsonNode value) {
            if (value.isNull()) {
                return true;
            }
            for (JsonNode allowed : neutral) {
                boolean same = allowed.isNumber() && value.isNumber()
                        ? allowed.doubleValue() == value.doubleValue()
                        : allowed.equals(value);
                if (same) {
                    return true;
                }
            }
            return false;
        }

        /// The values that are allowed, for messages.
        String allowed() {
            StringBuilder text = new StringBuilder();
            for (Iterator<JsonNode> values = neutral.elements(); values.hasNext(); ) {
                text.append(values.next());
                text.append(values.hasNext() ? ", " : " or ");
            }
            return text.append("none").toString();
        }
    }

    /// Reads values of keys that may be refused; most checkpoints have none, and no need of it.
    final class Values {
        static final JsonMapper MAPPER = JsonMapper.builder().build();

        private Values() {}
    }

    String USED = "used";
    String HARMLESS = "harmless";
    String REFUSED = "refused";
    String UNLESS = "refused unless ";

    /// Reads a row's second and third column.
    ///
    /// @throws IllegalArgumentException if they say no rule
    static KeyRule parse(String rule, String why) {
        if (rule.equals(USED)) {
            return new Used();
        }
        if (why.isEmpty()) {
            throw new IllegalArgumentException("expected a reason after \"%s\"".formatted(rule));
        }
        if (rule.equals(HARMLESS)) {
            return new Harmless(why);
        }
        if (rule.equals(REFUSED) || rule.startsWith(UNLESS)) {
            String values = rule.equals(REFUSED) ? "" : rule.substring(UNLESS.length());
            try {
                return new Refused(Values.MAPPER.readTree("[" + values + "]"), why);
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException("expected JSON values, got " + values, e);
            }
        }
        throw new IllegalArgumentException(
                "expected used, harmless, refused or refused unless, got \"%s\"".formatted(rule));
    }
}
