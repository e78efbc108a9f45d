package io.github.sgpt4j.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// Steps through JSON in mapped bytes, token by token. Nesting, lengths and the number of tokens are
/// bounded, and every failure is a [FormatException] that names the file and the byte offset in it.
public final class JsonCursor implements AutoCloseable {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(16)
                    .maxNameLength(50_000)
                    .maxStringLength(16_000_000)
                    .maxNumberLength(100)
                    .maxTokenCount(6_000_000)
                    .build())
            .build();

    private final String file;
    private final long fileOffset;
    private final JsonParser parser;

    /// @param json borrowed until the cursor is closed
    /// @param fileOffset where `json` begins in the file
    public JsonCursor(String file, MemorySegment json, long fileOffset) {
        this.file = file;
        this.fileOffset = fileOffset;
        try {
            this.parser = FACTORY.createParser(new Utf8Input(file, json, fileOffset));
        } catch (IOException e) {
            throw translated(e);
        }
    }

    /// Moves to the next token, which must exist.
    public JsonToken next() {
        JsonToken token = advance();
        if (token == null) {
            throw bad(end(), "expected more JSON, got the end");
        }
        return token;
    }

    /// Moves to the next token, which must be `expected`.
    public void next(JsonToken expected, String description) {
        JsonToken token = next();
        if (token != expected) {
            throw unexpected(description);
        }
    }

    /// Moves to the next token: true if it is a key of the current object, false if it is the object's end.
    public boolean nextKey() {
        return next() == JsonToken.FIELD_NAME;
    }

    /// Whether only white space follows the root value.
    public boolean atEnd() {
        return advance() == null;
    }

    @SuppressWarnings("NullAway") // the parser returns null at the end of input
    private JsonToken advance() {
        try {
            return parser.nextToken();
        } catch (IOException e) {
            throw translated(e);
        }
    }

    /// Skips the value that begins at the current token.
    public void skip() {
        try {
            parser.skipChildren();
        } catch (IOException e) {
            throw translated(e);
        }
    }

    public JsonToken token() {
        return parser.currentToken();
    }

    /// The text of the current key, string or number. Refuses unpaired surrogates, which are not
    /// characters.
    public String text() {
        try {
            String text = parser.getText();
            if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
                throw bad(position(), "expected characters, got an unpaired surrogate in " + Quoted.of(text));
            }
            return text;
        } catch (IOException e) {
            throw translated(e);
        }
    }

    /// The current token as a whole number from 0 to `Long.MAX_VALUE`.
    public long nonNegative(String description) {
        if (token() != JsonToken.VALUE_NUMBER_INT) {
            throw unexpected(description);
        }
        try {
            String digits = parser.getText();
            if (digits.startsWith("-") || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
                throw bad(position(), "expected %s, got %s".formatted(description, digits));
            }
            return parser.getLongValue();
        } catch (IOException e) {
            throw translated(e);
        }
    }

    /// Offset in the file of the current token's first byte.
    public long position() {
        return fileOffset + parser.currentTokenLocation().getByteOffset();
    }

    /// Offset in the file just after the current token.
    public long end() {
        return fileOffset + parser.currentLocation().getByteOffset();
    }

    public FormatException unexpected(String description) {
        JsonToken token = token();
        String got = switch (token) {
            case START_OBJECT, END_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case END_ARRAY -> "the end of an array";
            case FIELD_NAME -> "the key " + Quoted.of(text());
            case VALUE_STRING -> "the string " + Quoted.of(text());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + text();
            case VALUE_TRUE -> "true";
            case VALUE_FALSE -> "false";
            case VALUE_NULL -> "null";
            case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> token.name();
        };
        return bad(position(), "expected %s, got %s".formatted(description, got));
    }

    public FormatException bad(long offset, String what) {
        return new FormatException("%s: byte %d: %s".formatted(file, offset, what));
    }

    private SgptException translated(IOException failure) {
        if (!(failure instanceof JsonProcessingException json)) {
            return Unreadable.of(Path.of(file), failure);
        }
        JsonLocation location = json.getLocation();
        long offset = location == null ? end() : fileOffset + Math.max(0, location.getByteOffset());
        return new FormatException(
                "%s: byte %d: not valid JSON: %s".formatted(file, offset, Unreadable.problem(json)), failure);
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            throw translated(e);
        }
    }
}
