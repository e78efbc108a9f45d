package io.github.sgpt4j.server.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Reads bodies from strangers: bounded depth, bounded numbers of values, no duplicate names.
public final class JsonParsing {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_NUMBER_LENGTH = 64;
    private static final int MAX_NAME_LENGTH = 1024;
    /// Characters that are decoded at a time.
    private static final int DECODED = 1 << 12;
    /// Where the parser says what it reads from.
    private static final Pattern SOURCE = Pattern.compile(" *\\(start marker at \\[Source[^\\]]*\\]\\)");

    /// An object and its place in a list or a map.
    private static final int VALUE_BYTES = 80;

    private final JsonFactory factory;
    private final int maxValues;

    /// What was read.
    ///
    /// @param bytes about as many as it takes up
    public record Parsed(JsonObject object, long bytes) {}

    /// @param maxBytes the longest body
    /// @param maxValues most values of a body, where an array of whole numbers counts as one
    public JsonParsing(int maxBytes, int maxValues) {
        this.maxValues = maxValues;
        factory = JsonFactory.builder()
                .disable(JsonFactory.Feature.CHARSET_DETECTION)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNumberLength(MAX_NUMBER_LENGTH)
                        .maxNameLength(MAX_NAME_LENGTH)
                        .maxStringLength(maxBytes)
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
    }

    /// The object that a body consists of.
    ///
    /// @throws ApiException if it is not one, or has too many values
    public JsonObject object(byte[] body) {
        return parse(body).object();
    }

    /// As [#object], with its size.
    public Parsed parse(byte[] body) {
        requireUtf8(body);
        try (JsonParser parser = factory.createParser(body)) {
            if (parser.nextToken() == null) {
                throw new ApiException(Problem.INVALID_JSON, "the body is empty: expected a JSON object");
            }
            Values values = new Values(parser);
            Json value = values.next();
            if (parser.nextToken() != null) {
                throw new ApiException(Problem.INVALID_JSON, "the body has more than one JSON value");
            }
            if (!(value instanceof Json.Members members)) {
                throw new ApiException(
                        Problem.INVALID_JSON, "the body is %s: expected a JSON object".formatted(value.described()));
            }
            return new Parsed(new JsonObject("", members), values.bytes());
        } catch (JsonProcessingException e) {
            throw new ApiException(Problem.INVALID_JSON, "the body is not JSON: " + sentence(e), e);
        } catch (IOException e) {
            throw new ApiException(Problem.INVALID_JSON, "the body is not JSON: it is cut off", e);
        }
    }

    /// The parser lets some bytes pass that are no UTF-8, such as two for a letter that needs one.
    private static void requireUtf8(byte[] body) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer bytes = ByteBuffer.wrap(body);
        CharBuffer dropped = CharBuffer.allocate(DECODED);
        CoderResult result = CoderResult.OVERFLOW;
        while (result.isOverflow()) {
            result = decoder.decode(bytes, dropped.clear(), true);
        }
        if (result.isError()) {
            throw new ApiException(Problem.INVALID_JSON, "the body is not UTF-8 (byte %d)".formatted(bytes.position()));
        }
    }

    /// The parser's message without excerpts of the body, and with the place.
    private static String sentence(JsonProcessingException e) {
        String message = SOURCE.matcher(String.valueOf(e.getOriginalMessage())
                        .lines()
                        .findFirst()
                        .orElse(""))
                .replaceAll("");
        return e.getLocation() == null
                ? message
                : "%s (byte %d)".formatted(message, Math.max(0, e.getLocation().getByteOffset()));
    }

    /// Whether a string takes up a byte for each character.
    private static boolean isNarrow(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 0xff) {
                return false;
            }
        }
        return true;
    }

    /// Reads one body.
    private final class Values {
        private final JsonParser parser;
        private int values;
        /// Of texts and arrays of whole numbers.
        private long contents;

        Values(JsonParser parser) {
            this.parser = parser;
        }

        long bytes() {
            return (long) values * VALUE_BYTES + contents;
        }

        /// The value that begins with the parser's current token.
        Json next() throws IOException {
            if (++values > maxValues) {
                throw new ApiException(
                        Problem.TOO_LARGE, "the body has too many values: expected at most " + maxValues);
            }
            return switch (parser.currentToken()) {
                case START_OBJECT -> members();
                case START_ARRAY -> elements();
                case VALUE_STRING -> text(parser.getText());
                case VALUE_TRUE -> new Json.Truth(true);
                case VALUE_FALSE -> new Json.Truth(false);
                case VALUE_NULL -> new Json.Null();
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number();
                default ->
                    throw new ApiException(Problem.INVALID_JSON, "the body is not JSON: " + parser.currentToken());
            };
        }

        private Json text(String text) {
            contents += text.length() * (isNarrow(text) ? 1L : 2L);
            return new Json.Text(text);
        }

        private Json number() throws IOException {
            return isWhole() ? new Json.Whole(parser.getIntValue()) : new Json.Number(parser.getDoubleValue());
        }

        private boolean isWhole() throws IOException {
            return parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                    && parser.getNumberType() == JsonParser.NumberType.INT;
        }

        private Json members() throws IOException {
            Map<String, Json> members = new LinkedHashMap<>();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                contents += name.length();
                members.put(name, next());
            }
            return new Json.Members(members);
        }

        private Json elements() throws IOException {
            int[] integers = new int[16];
            int count = 0;
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (!isWhole()) {
                    return mixed(integers, count);
                }
                if (count == integers.length) {
                    integers = Arrays.copyOf(integers, 2 * count);
                }
                integers[count++] = parser.getIntValue();
            }
            contents += (long) count * Integer.BYTES;
            return count == 0 ? new Json.Elements(List.of()) : new Json.Integers(Arrays.copyOf(integers, count));
        }

        /// The rest of an array that began with whole numbers.
        private Json mixed(int[] integers, int count) throws IOException {
            List<Json> elements = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                elements.add(new Json.Whole(integers[i]));
            }
            values += count;
            do {
                elements.add(next());
            } while (parser.nextToken() != JsonToken.END_ARRAY);
            return new Json.Elements(elements);
        }
    }
}
