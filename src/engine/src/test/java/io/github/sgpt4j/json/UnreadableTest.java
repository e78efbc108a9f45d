package io.github.sgpt4j.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class UnreadableTest {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static Arguments broken(String json, String expected) {
        return Arguments.of(json, "file.json: not valid JSON" + expected);
    }

    static Stream<Arguments> brokenJson() {
        return Stream.of(
                broken("{", " at line 1, column 2: expected more, got the end"),
                broken("\n{\"a\": [1, 2", " at line 2, column 12: expected more, got the end"),
                broken("{\"a\": \"b", " at line 1, column 9: expected more, got the end"),
                broken("{\"a", " at line 1, column 4: expected more, got the end"),
                broken("{\"a\": tr", " at line 1, column 7: expected a value, got tr"),
                broken("{\"a\": 1,}", " at line 1, column 9: expected a key in double quotes, got \"}\""),
                broken("{'a': 1}", " at line 1, column 2: expected a key in double quotes, got \"'\""),
                broken("{\"a\" 1}", " at line 1, column 6: expected a colon after a key, got 1"),
                broken("[1 2]", " at line 1, column 4: expected a comma or the end of the array, got 2"),
                broken("{\"a\": 1 \"b\": 2}", ": expected a comma or the end of the object, got \"\\\"\""),
                broken("{\"a\": .5}", " at line 1, column 7: expected a value, got \".\""),
                broken("/* c */ {}", " at line 1, column 1: expected a value, got \"/\""),
                broken("{\"a\": +5}", ": expected a number, got one with \"+\""),
                broken("{\"a\": 1.}", ": expected a number, got one with \"}\""),
                broken("{\"a\": 01}", ": expected a number, got one with leading zeros"),
                broken("{\"a\": NaN}", ": expected a number, got NaN"),
                broken("{\"a\": -Infinity}", ": expected a number, got \"-Infinity\""),
                broken("{\"a\": yes}", " at line 1, column 7: expected a value, got yes"),
                broken("{\"a\": 1, \"a\": 2}", ": expected key a once, got it twice"),
                broken("{\"a\\n\": 1, \"a\\n\": 2}", ": expected key \"a\\u000a\" once, got it twice"),
                broken("{\"a\": 1]", " at line 1, column 8: got \"]\", expected \"}\""),
                broken("}", " at line 1, column 1: expected a value, got \"}\""),
                broken("{} {}", ": expected the end, got more"),
                broken("{\"a\": \"b\nc\"}", ": expected text, got the control character of code 10"),
                broken("\u0085", ": expected text, got the control character of code 133"),
                broken("{\"\\ud800\": 1}", ": expected characters, got an unpaired surrogate"),
                broken("{\"\\udc00\": 1}", ": expected characters, got an unpaired surrogate"),
                broken("{\"a\": \"\\x\"}", ": expected an escape, got x after a backslash"),
                broken("{\"a\": \"\\u12G4\"}", ": expected a hexadecimal digit of an escape, got G"),
                broken("{\"a\": " + "9".repeat(1200) + "}", ": Number value length: got 1200, expected at most 1000"),
                broken("[".repeat(1200), ": Document nesting depth: got 1001, expected at most 1000"));
    }

    private static String message(JsonProcessingException e) {
        return Unreadable.of(Path.of("file.json"), e).getMessage();
    }

    /// The parsers of bytes and of characters have some different messages.
    @ParameterizedTest
    @MethodSource("brokenJson")
    void brokenJsonIsToldWithoutWordsOfTheLibrary(String json, String expected) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        String ofBytes = message(assertThrows(JsonProcessingException.class, () -> MAPPER.readTree(bytes)));
        String ofText =
                message(assertThrows(JsonProcessingException.class, () -> MAPPER.readTree(new StringReader(json))));
        for (String message : new String[] {ofBytes, ofText}) {
            String placeless = expected.startsWith("file.json: not valid JSON: ")
                    ? message.replaceFirst(" at line \\d+, column \\d+", "")
                    : message;
            assertEquals(expected, placeless);
        }
    }

    @Test
    void bytesThatAreNoUtf8() {
        byte[] bytes = {'{', '"', (byte) 0xff, '"', '}'};
        String message = message(assertThrows(JsonProcessingException.class, () -> MAPPER.readTree(bytes)));
        assertTrue(message.endsWith(": expected UTF-8, got byte 0xff"), message);
    }

    @Test
    void longKeysAreCut() {
        String key = "\"" + "k".repeat(40_000) + "\": 1";
        String message = message(
                assertThrows(JsonProcessingException.class, () -> MAPPER.readTree("{%s, %s}".formatted(key, key))));
        assertTrue(message.length() < 300, message);
        assertTrue(message.endsWith("\" once, got it twice"), message);
    }

    private static String reason(IOException e) {
        return Unreadable.of(Path.of("file"), e).getMessage();
    }

    @Test
    void filesThatCannotBeReadAreNamedOnce() {
        assertEquals("file: cannot be read: permission denied", reason(new AccessDeniedException("file")));
        assertEquals("file: cannot be read: found nothing there", reason(new NoSuchFileException("file")));
        assertEquals(
                "file: cannot be read: Stale handle", reason(new FileSystemException("file", null, "Stale handle")));
        assertEquals("file: cannot be read: no reason given", reason(new FileSystemException("file")));
        assertEquals("file: cannot be read: Input/output error", reason(new IOException("Input/output error")));
        assertEquals("file: cannot be read: no reason given", reason(new IOException()));
        assertEquals("file: not valid UTF-8", reason(new MalformedInputException(1)));
    }
}
