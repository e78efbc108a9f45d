package io.github.sgpt4j.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class JsonReaderTest {
    private static final JsonReader DATA = JsonReader.ofData(40_000_000);

    @TempDir
    Path folder;

    private static FormatException refused(String message, Executable read) {
        FormatException e = assertThrows(FormatException.class, read);
        assertEquals(message, e.getMessage());
        return e;
    }

    @Test
    void aBrokenLineIsNamedWithItsColumn() {
        FormatException e = refused(
                "a.jsonl: line 7: not valid JSON at column 7: expected a value, got yes",
                () -> DATA.parseLine("a.jsonl: line 7", "{\"a\": yes}"));
        assertInstanceOf(JsonProcessingException.class, e.getCause());
        refused("a: line 1: expected JSON, got nothing", () -> DATA.parseLine("a: line 1", " "));
    }

    @Test
    void aBrokenFileIsNamedWithLineAndColumn() throws IOException {
        Path file = Files.writeString(folder.resolve("a.json"), "{\n\"a\": [1 2]}");
        refused(
                "name: not valid JSON at line 2, column 9: expected a comma or the end of the array, got 2",
                () -> DATA.read(file, "name", 100));
        Files.writeString(file, "");
        refused("name: expected JSON, got an empty file", () -> DATA.read(file, "name", 100));
        Files.writeString(file, "{}");
        refused("name: expected at most 1 bytes of JSON, got 2", () -> DATA.read(file, "name", 1));
        refused("name: expected a regular file, got something else", () -> DATA.read(folder, "name", 100));
        refused("name: expected a regular file, found none", () -> DATA.read(folder.resolve("b"), "name", 100));
    }

    @Test
    void onlyTheStrictReaderRefusesAKeyTwice() {
        String twice = "{\"a\": 1, \"a\": 2}";
        refused(
                "f: not valid JSON at line 1, column 13: expected key a once, got it twice",
                () -> JsonReader.STRICT.parse("f", twice));
        refused(
                "f: not valid JSON at line 1, column 13: expected key a once, got it twice",
                () -> JsonReader.STRICT_RECORDS.parse("f", twice));
        assertEquals(2, DATA.parse("f", twice).get("a").intValue());
    }

    @Test
    void dataMayHoldLongTexts() {
        String text = "x".repeat(30_000_000);
        assertEquals(text, DATA.parseLine("f", "\"" + text + "\"").textValue());
        refused(
                "f: not valid JSON: String value length: got 5, expected at most 4",
                () -> JsonReader.ofData(4).parseLine("f", "\"abcde\""));
    }

    @Test
    void valuesAreNamedInWords() {
        assertEquals("an object", Unreadable.kind(DATA.parse("f", "{}")));
        assertEquals("an array", Unreadable.kind(DATA.parse("f", "[]")));
        assertEquals("a string", Unreadable.kind(DATA.parse("f", "\"\"")));
        assertEquals("a number", Unreadable.kind(DATA.parse("f", "1.5")));
        assertEquals("true or false", Unreadable.kind(DATA.parse("f", "true")));
        assertEquals("null", Unreadable.kind(DATA.parse("f", "null")));
    }
}
