package io.github.sgpt4j.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reads one JSON value, with nothing after it, into a tree. Error messages are those of [Unreadable].
public final class JsonReader {
    /// Refuses duplicate keys in an object: in a configuration, it is unclear which value applies.
    public static final JsonReader STRICT = new JsonReader(builder(StreamReadConstraints.DEFAULT_MAX_STRING_LEN)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION));

    /// As [#STRICT], for objects whose keys are data, such as ids: keys are not kept for later ones, of
    /// which there may be millions.
    public static final JsonReader STRICT_RECORDS = new JsonReader(builder(
                    new JsonFactoryBuilder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES),
                    StreamReadConstraints.DEFAULT_MAX_STRING_LEN)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION));

    private final JsonMapper mapper;

    private JsonReader(JsonMapper.Builder builder) {
        mapper = builder.build();
    }

    /// A reader for data: the last value of a duplicate key applies, and texts may be long.
    ///
    /// @param maxTextLength maximum length of a string, in characters
    public static JsonReader ofData(int maxTextLength) {
        return new JsonReader(builder(maxTextLength));
    }

    private static JsonMapper.Builder builder(int maxTextLength) {
        return builder(new JsonFactoryBuilder(), maxTextLength);
    }

    private static JsonMapper.Builder builder(JsonFactoryBuilder factory, int maxTextLength) {
        StreamReadConstraints limits =
                StreamReadConstraints.builder().maxStringLength(maxTextLength).build();
        return JsonMapper.builder(factory.streamReadConstraints(limits).build())
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    }

    /// The value in a file.
    ///
    /// @param where the file's name in messages
    /// @param maxBytes a larger file is refused unread
    public JsonNode read(Path file, String where, long maxBytes) {
        return read(file, where, maxBytes, Files::newInputStream);
    }

    /// Opens a file, or its contents kept in memory.
    interface Opening {
        InputStream open(Path file) throws IOException;
    }

    JsonNode read(Path file, String where, long maxBytes, Opening opening) {
        if (!Files.isRegularFile(file)) {
            throw new FormatException("%s: expected a regular file, %s"
                    .formatted(where, Files.exists(file) ? "got something else" : "found none"));
        }
        try {
            long size = Files.size(file);
            if (size > maxBytes) {
                throw new FormatException(
                        "%s: expected at most %d bytes of JSON, got %d".formatted(where, maxBytes, size));
            }
            try (InputStream in = opening.open(file)) {
                return present(where, mapper.readTree(in), "an empty file");
            }
        } catch (IOException e) {
            throw Unreadable.of(where, e);
        }
    }

    /// The value in a text.
    ///
    /// @param where names the text in messages
    public JsonNode parse(String where, String json) {
        try {
            return present(where, mapper.readTree(json), "nothing");
        } catch (JsonProcessingException e) {
            throw Unreadable.of(where, e);
        }
    }

    /// The value on one line of a file.
    ///
    /// @param where the file and the line's number
    public JsonNode parseLine(String where, String line) {
        try {
            return present(where, mapper.readTree(line), "nothing");
        } catch (JsonProcessingException e) {
            throw Unreadable.ofLine(where, e);
        }
    }

    private static JsonNode present(String where, JsonNode node, String absent) {
        if (node.isMissingNode()) {
            throw new FormatException("%s: expected JSON, got %s".formatted(where, absent));
        }
        return node;
    }
}
