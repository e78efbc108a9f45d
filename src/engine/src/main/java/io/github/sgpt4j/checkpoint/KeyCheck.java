package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Checks the keys of one JSON file against its table. It streams, so that a large file is not held as
/// a tree.
final class KeyCheck {
    private static final JsonFactory FACTORY = new JsonFactory();

    private final Path file;
    private final KeyTable table;
    private final Unknown unknown = new Unknown("key");

    private KeyCheck(Path file, KeyTable table) {
        this.file = file;
        this.table = table;
    }

    /// Names that are in no table: counted, and the first ones kept for the notice.
    static final class Unknown {
        private static final int MAX_SHOWN = 8;

        private final String noun;
        private final List<String> shown = new ArrayList<>();
        private int more;

        Unknown(String noun) {
            this.noun = noun;
        }

        void add(String name) {
            String quoted = Quoted.of(name);
            if (shown.size() < MAX_SHOWN) {
                if (!shown.contains(quoted)) {
                    shown.add(quoted);
                }
            } else if (!shown.contains(quoted)) {
                more++;
            }
        }

        /// One sentence; empty if every name is known.
        Optional<String> notice(Path where) {
            if (shown.isEmpty()) {
                return Optional.empty();
            }
            String names = String.join(", ", shown) + (more > 0 ? " and %d more".formatted(more) : "");
            return Optional.of(
                    shown.size() == 1
                            ? "%s: ignored unknown %s %s".formatted(where, noun, names)
                            : "%s: ignored unknown %ss %s".formatted(where, noun, names));
        }
    }

    /// Checks a file that holds an object, or a list of objects with the same keys. Any other content
    /// is left to the code that reads the file.
    ///
    /// @param json opens the file
    /// @return a notice about keys that are not in the table, if there are any
    /// @throws UnsupportedModelException if a key has a value that the table refuses
    /// @throws io.github.sgpt4j.error.FormatException if the file is not valid JSON
    static Optional<String> check(Path file, KeyTable table, JsonFiles json) {
        KeyCheck check = new KeyCheck(file, table);
        try (InputStream in = json.open(file);
                JsonParser parser = FACTORY.createParser(in)) {
            check.value(parser, parser.nextToken(), "");
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
        return check.unknown.notice(file);
    }

    /// Checks an object, or the objects of a list; skips any other value.
    private void value(JsonParser parser, JsonToken first, String prefix) throws IOException {
        if (first == JsonToken.START_OBJECT) {
            members(parser, prefix);
        } else if (first == JsonToken.START_ARRAY) {
            for (JsonToken t = parser.nextToken(); t != null && t != JsonToken.END_ARRAY; t = parser.nextToken()) {
                if (t == JsonToken.START_OBJECT) {
                    members(parser, prefix);
                } else {
                    parser.skipChildren();
                }
            }
        }
    }

    private void members(JsonParser parser, String prefix) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = prefix + parser.currentName();
            JsonToken token = parser.nextToken();
            Optional<KeyRule> rule = table.rule(key);
            if (rule.isEmpty()) {
                if (token != JsonToken.VALUE_NULL) {
                    unknown.add(key);
                }
                parser.skipChildren();
            } else if (rule.get() instanceof KeyRule.Refused refused) {
                refuse(key, KeyRule.Values.MAPPER.readTree(parser), refused);
            } else if (table.hasMembersOf(key)) {
                value(parser, token, key + ".");
            } else {
                parser.skipChildren();
            }
        }
    }

    private void refuse(String key, JsonNode value, KeyRule.Refused rule) {
        if (!rule.allows(value)) {
            throw new UnsupportedModelException("%s: key %s: expected %s, got %s, which is not supported: %s"
                    .formatted(file, Quoted.of(key), rule.allowed(), JsonFile.shown(value), rule.why()));
        }
    }
}
