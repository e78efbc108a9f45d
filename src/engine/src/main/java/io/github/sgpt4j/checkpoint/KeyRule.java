package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Iterator;

/// How a key of a checkpoint's file is treated.
sealed interface KeyRule {
    /// The engine reads it.
    record Used() implements KeyRule {}

    /// It changes neither embeddings nor scores.
    ///
    /// @param why a few words
    record Harmless(String why) implements KeyRule {}

    /// It changes results, and the engine does not support it.
    ///
    /// @param neutral values that change nothing, as a JSON array
    /// @param why a few words
    record Refused(JsonNode neutral, String why) implements KeyRule {
        /// Whether a value changes nothing. `null` is always allowed, and numbers are compared by
        /// value: 1 equals 1.0.
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

        /// The allowed values, for messages.
        String allowed() {
            StringBuilder text = new StringBuilder();
            for (Iterator<JsonNode> values = neutral.elements(); values.hasNext(); ) {
                text.append(values.next());
                text.append(values.hasNext() ? ", " : " or ");
            }
            return text.append("none").toString();
        }
    }

    /// Parses values of keys that may be refused. Loaded lazily, since most checkpoints have none.
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
    /// @throws IllegalArgumentException if they do not form a rule
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
