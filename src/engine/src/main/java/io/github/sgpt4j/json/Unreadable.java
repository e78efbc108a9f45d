package io.github.sgpt4j.json;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Says in one sentence why a file could not be read. The exceptions of libraries become the cause, but
/// their messages are not used: they name classes and switches of the library and quote the file at any
/// length.
public final class Unreadable {
    /// The meaning of a parser message that begins with a pattern; `%s` stands for its groups.
    private record Rule(Pattern message, String meaning) {
        Rule(String message, String meaning) {
            this(Pattern.compile(message, Pattern.DOTALL), meaning);
        }
    }

    /// The first matching rule applies.
    private static final List<Rule> RULES = List.of(
            new Rule("Unexpected end-of-input", "expected more, got the end"),
            character("was expecting double-quote", "a key in double quotes"),
            character("was expecting a colon", "a colon after a key"),
            character("was expecting comma to separate Array", "a comma or the end of the array"),
            character("was expecting comma to separate Object", "a comma or the end of the object"),
            character("expected a hex-digit", "a hexadecimal digit of an escape"),
            new Rule("Unexpected character \\('(.)' .* in numeric value", "expected a number, got one with %s"),
            character("", "a value"),
            new Rule("Unrecognized token '(.*)': was", "expected a value, got %s"),
            new Rule("Non-standard token '(.*)':", "expected a number, got %s"),
            new Rule("Duplicate field '(.*)'", "expected key %s once, got it twice"),
            new Rule("Unexpected close marker '(.)': expected '(.)'", "got %s, expected %s"),
            new Rule("Unexpected close marker '(.)'", "expected a value, got %s"),
            new Rule(
                    "(.*?)(?: value)? \\((\\d+)\\) exceeds the maximum allowed \\((\\d+)",
                    "%s: got %s, expected at most %s"),
            new Rule("[^']*surrogate", "expected characters, got an unpaired surrogate"),
            new Rule(
                    "(?:Illegal|Unexpected).* \\(\\(CTRL-CHAR, code (\\d+)\\)\\)",
                    "expected text, got the control character of code %s"),
            new Rule("Unrecognized character escape '(.)'", "expected an escape, got %s after a backslash"),
            new Rule("Invalid UTF-8 \\w+ byte (0x\\w+)", "expected UTF-8, got byte %s"),
            new Rule("Invalid numeric value: Leading zeroes", "expected a number, got one with leading zeros"),
            new Rule("Numeric value \\((.*?)\\) out of range", "expected a number of 64 bits, got %s"),
            new Rule("Trailing token", "expected the end, got more"));

    private static final Pattern PLAIN = Pattern.compile("[\\w ]{1,40}");

    private Unreadable() {}

    private static Rule character(String parserExpected, String expected) {
        return new Rule(
                "Unexpected character \\('(.)' .*" + parserExpected, "expected %s, got %%s".formatted(expected));
    }

    /// The exception for a file that cannot be read or parsed; a [CancelledException] if the thread was
    /// interrupted while a channel was reading.
    public static SgptException of(Path file, IOException failure) {
        return of(file.toString(), failure);
    }

    /// As [#of(Path,IOException)].
    ///
    /// @param file its name in the message
    public static SgptException of(String file, IOException failure) {
        if (failure instanceof ClosedByInterruptException) {
            CancelledException cancelled = new CancelledException(
                    "%s: reading was cancelled: the calling thread was interrupted".formatted(file));
            cancelled.initCause(failure);
            return cancelled;
        }
        return new FormatException("%s: %s".formatted(file, reason(failure)), failure);
    }

    /// The exception for broken JSON on one line of a file.
    ///
    /// @param where the file and the line's number
    static FormatException ofLine(String where, JsonProcessingException failure) {
        JsonLocation location = failure.getLocation();
        String column = location == null || location.getColumnNr() < 1 ? "" : " at column " + location.getColumnNr();
        return new FormatException("%s: not valid JSON%s: %s".formatted(where, column, problem(failure)), failure);
    }

    private static String reason(IOException failure) {
        return switch (failure) {
            case JsonProcessingException e -> "not valid JSON%s: %s".formatted(where(e), problem(e));
            case CharacterCodingException e -> "not valid UTF-8";
            case AccessDeniedException e -> "cannot be read: permission denied";
            case NoSuchFileException e -> "cannot be read: found nothing there";
            // These messages begin with the file, which is already named.
            case FileSystemException e ->
                "cannot be read: " + Objects.requireNonNullElse(e.getReason(), "no reason given");
            default -> "cannot be read: " + Objects.requireNonNullElse(failure.getMessage(), "no reason given");
        };
    }

    private static String where(JsonProcessingException e) {
        JsonLocation location = e.getLocation();
        return location == null || location.getLineNr() < 1
                ? ""
                : " at line %d, column %d".formatted(location.getLineNr(), location.getColumnNr());
    }

    /// The kind of a JSON token, for messages.
    ///
    /// @param token null at the end of the input
    public static String kind(@Nullable JsonToken token) {
        return switch (token) {
            case null -> "nothing";
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case END_OBJECT, END_ARRAY -> "an end";
            case FIELD_NAME -> "a key";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_TRUE -> "true";
            case VALUE_FALSE -> "false";
            case VALUE_NULL -> "null";
            case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "something else";
        };
    }

    /// The kind of a value, for messages.
    public static String kind(JsonNode value) {
        return value.isBoolean() ? "true or false" : kind(value.asToken());
    }

    /// What is wrong with the JSON, without file and position: what was expected and what was found.
    public static String problem(JsonProcessingException e) {
        String message = Objects.requireNonNullElse(e.getOriginalMessage(), "");
        for (Rule rule : RULES) {
            Matcher matcher = rule.message().matcher(message);
            if (matcher.lookingAt()) {
                Object[] groups = new Object[matcher.groupCount()];
                for (int i = 0; i < groups.length; i++) {
                    String group = matcher.group(i + 1);
                    groups[i] = PLAIN.matcher(group).matches() ? group : Quoted.of(group);
                }
                return rule.meaning().formatted(groups);
            }
        }
        return "expected JSON, got something else";
    }
}
