package io.github.sgpt4j.server.json;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Bodies from strangers: what is read, and what is refused with which words.
@Timeout(60)
class JsonParsingTest {
    private static final int MAX_BYTES = 1 << 20;
    private static final int MAX_VALUES = 100;

    private final JsonParsing parsing = new JsonParsing(MAX_BYTES, MAX_VALUES);

    private JsonObject read(String body) {
        return parsing.object(body.getBytes(StandardCharsets.UTF_8));
    }

    private ApiException refused(byte[] body) {
        return assertThrows(ApiException.class, () -> parsing.object(body));
    }

    private ApiException refused(String body) {
        return refused(body.getBytes(StandardCharsets.UTF_8));
    }

    private Json value(String value) {
        return read("{\"x\":%s}".formatted(value)).value("x").orElseThrow();
    }

    @Test
    void readsEveryKindOfValue() {
        assertEquals(new Json.Text("a\u00e9\ud83d\ude00"), value("\"a\u00e9\ud83d\ude00\""));
        assertEquals(new Json.Text("a\u00e9\ud83d\ude00\n"), value("\"a\\u00e9\\ud83d\\ude00\\n\""));
        assertEquals(new Json.Truth(true), value("true"));
        assertEquals(new Json.Truth(false), value(" false "));
        assertEquals(new Json.Whole(-7), value("-7"));
        assertEquals(new Json.Whole(Integer.MIN_VALUE), value("-2147483648"));
        assertEquals(new Json.Number(1.5), value("1.5"));
        assertEquals(new Json.Number(7), value("7.0"));
        assertEquals(new Json.Elements(List.of()), value("[]"));
        assertEquals(
                new Json.Elements(List.of(new Json.Whole(1), new Json.Text("a"), new Json.Null())),
                value("[1,\"a\",null]"));
        assertEquals("an object", value("{}").described());
        assertEquals(Optional.empty(), read("{\"x\":null}").value("x"));
        assertFalse(read("{}").has("x"));
    }

    @Test
    void arraysOfWholeNumbersAreCompact() {
        Json.Integers some = assertInstanceOf(Json.Integers.class, value("[1,-2,3]"));
        assertArrayEquals(new int[] {1, -2, 3}, some.values());
        // They count as one value, however long.
        String many = IntStream.range(0, 10_000).mapToObj(String::valueOf).collect(Collectors.joining(",", "[", "]"));
        assertEquals(10_000, assertInstanceOf(Json.Integers.class, value(many)).values().length);
        Json.Elements nested = assertInstanceOf(Json.Elements.class, value("[[1],[2,3]]"));
        assertArrayEquals(
                new int[] {2, 3},
                assertInstanceOf(Json.Integers.class, nested.values().get(1)).values());
    }

    @ParameterizedTest
    @ValueSource(strings = {"2147483648", "-2147483649", "99999999999999999999", "1e400", "-1e400", "1e-400", "0.1"})
    void otherNumbersAreNumbers(String number) {
        assertEquals(new Json.Number(Double.parseDouble(number)), value(number));
        Json.Elements mixed = assertInstanceOf(Json.Elements.class, value("[1,%s]".formatted(number)));
        assertEquals(List.of(new Json.Whole(1), new Json.Number(Double.parseDouble(number))), mixed.values());
        ApiException wrong = assertThrows(
                ApiException.class, () -> read("{\"n\":%s}".formatted(number)).whole("n"));
        assertEquals(Problem.INVALID_VALUE, wrong.problem());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "   ",
                "{",
                "{\"x\"",
                "{\"x\":",
                "{\"x\":1",
                "{\"x\":[1,2",
                "{\"x\":[\"a\",",
                "{\"x\":\"a",
                "{\"x\":1,}",
                "{\"x\":[1,]}",
                "{\"x\":[,1]}",
                "{\"x\" 1}",
                "{x:1}",
                "{'x':1}",
                "{\"x\":NaN}",
                "{\"x\":[1,NaN]}",
                "{\"x\":Infinity}",
                "{\"x\":-Infinity}",
                "{\"x\":+1}",
                "{\"x\":01}",
                "{\"x\":1.}",
                "{\"x\":.5}",
                "{\"x\":1e}",
                "{\"x\":0x10}",
                "{\"x\":tru}",
                "{\"x\":\"a\nb\"}",
                "{\"x\":\"\\q\"}",
                "{\"x\":\"\\u12\"}",
                "{\"x\":1}}",
                "{\"x\":1}{\"x\":1}",
                "{\"x\":1} 2",
                "{\"x\":1}//",
                "/**/{\"x\":1}",
                "{\"x\":1,\"x\":2}",
                "{\"a\":{\"x\":1,\"x\":1}}",
                "[]",
                "[{\"x\":1}]",
                "\"x\"",
                "1",
                "null",
                "true"
            })
    void refusesWhatIsNotAnObject(String body) {
        ApiException e = refused(body);
        assertEquals(Problem.INVALID_JSON, e.problem());
        assertTrue(e.sentence().startsWith("the body "), e.sentence());
        assertFalse(e.sentence().contains("\n"), e.sentence());
        assertFalse(e.sentence().contains("Source"), e.sentence());
    }

    /// Bytes that are no UTF-8: a byte of continuation alone, an overlong slash, half a letter, a surrogate, beyond
    /// the last code point, a byte that never occurs.
    @ParameterizedTest
    @ValueSource(strings = {"80", "c0af", "c3", "eda080", "f4908080", "ff", "e28028", "f0288cbc"})
    void refusesTextThatIsNotUtf8(String hex) {
        byte[] body = new byte[64];
        byte[] before = "{\"x\":\"".getBytes(StandardCharsets.UTF_8);
        byte[] bad = HexFormat.of().parseHex(hex);
        byte[] after = "\"}".getBytes(StandardCharsets.UTF_8);
        System.arraycopy(before, 0, body, 0, before.length);
        System.arraycopy(bad, 0, body, before.length, bad.length);
        System.arraycopy(after, 0, body, before.length + bad.length, after.length);
        byte[] whole = Arrays.copyOf(body, before.length + bad.length + after.length);
        assertEquals(Problem.INVALID_JSON, refused(whole).problem());
    }

    @Test
    void refusesOtherEncodings() {
        assertEquals(
                Problem.INVALID_JSON,
                refused("{\"x\":1}".getBytes(StandardCharsets.UTF_16)).problem());
        assertEquals(
                Problem.INVALID_JSON,
                refused("{\"x\":1}".getBytes(StandardCharsets.UTF_16LE)).problem());
    }

    @Test
    void unpairedSurrogatesAreWrittenAsReplacements() {
        Json.Text text = assertInstanceOf(Json.Text.class, value("\"a\\ud800b\""));
        byte[] written = JsonWriting.bytes(json -> JsonWriting.text(json, text.value()));
        assertEquals("\"a\ufffdb\"", new String(written, StandardCharsets.UTF_8));
    }

    @Test
    void depthIsBounded() {
        assertTrue(value("[".repeat(30) + "]".repeat(30)).described().contains("array"));
        for (int depth : new int[] {32, 1000, 400_000}) {
            assertEquals(
                    Problem.INVALID_JSON, refused("{\"x\":" + "[".repeat(depth)).problem());
            assertEquals(Problem.INVALID_JSON, refused("{\"x\":".repeat(depth)).problem());
        }
    }

    @Test
    void numberOfValuesIsBounded() {
        String texts = "\"a\",".repeat(MAX_VALUES - 3) + "\"a\"";
        assertEquals(
                MAX_VALUES - 2,
                read("{\"x\":[%s]}".formatted(texts)).requiredTexts("x").size());
        assertEquals(
                Problem.TOO_LARGE,
                refused("{\"x\":[\"a\",%s]}".formatted(texts)).problem());
        // Whole numbers before anything else count one by one.
        assertEquals(
                Problem.TOO_LARGE,
                refused("{\"x\":[%s\"a\"]}".formatted("1,".repeat(MAX_VALUES))).problem());
        String names =
                IntStream.range(0, MAX_VALUES).mapToObj("\"n%d\":0"::formatted).collect(Collectors.joining(","));
        assertEquals(Problem.TOO_LARGE, refused("{%s}".formatted(names)).problem());
        assertEquals(
                Problem.TOO_LARGE,
                refused("{\"x\":[%s[]]}".formatted("[],".repeat(MAX_VALUES))).problem());
    }

    @Test
    void lengthsOfNumbersAndNamesAreBounded() {
        assertEquals(new Json.Number(Double.parseDouble("9".repeat(64))), value("9".repeat(64)));
        assertEquals(
                Problem.INVALID_JSON,
                refused("{\"x\":%s}".formatted("9".repeat(65))).problem());
        assertEquals(
                Problem.INVALID_JSON,
                refused("{\"x\":0.%s}".formatted("9".repeat(100_000))).problem());
        assertEquals(
                Problem.INVALID_JSON,
                refused("{\"%s\":1}".formatted("n".repeat(100_000))).problem());
    }

    @Test
    void aTextMayFillTheBody() {
        String text = "\u00e9".repeat(MAX_BYTES / 2 - 10);
        assertEquals(new Json.Text(text), value("\"%s\"".formatted(text)));
    }

    @Test
    void messagesSayWhereAndQuoteNothing() {
        assertEquals(
                "the body has more than one JSON value",
                refused("{\"secret\":\"word\"}{}").sentence());
        String sentence = refused("{\"secret\":\"word\", oops}").sentence();
        assertTrue(sentence.contains("byte "), sentence);
        assertFalse(sentence.contains("secret") || sentence.contains("word\""), sentence);
        assertEquals(
                "the body is an array of numbers: expected a JSON object",
                refused("[1]").sentence());
        assertEquals(
                "the body is not UTF-8 (byte 6)",
                refused("{\"x\":\"\u00ff\"}".getBytes(StandardCharsets.ISO_8859_1))
                        .sentence());
        assertEquals("the body is empty: expected a JSON object", refused("").sentence());
    }

    @Test
    void saysHowMuchMemoryItTakes() {
        long empty = bytes("{}");
        assertTrue(empty > 0);
        assertEquals(empty, bytes("{\"a\":\"\"}") - empty - 1);
        assertEquals(100, bytes("{\"a\":\"%s\"}".formatted("b".repeat(100))) - bytes("{\"a\":\"\"}"));
        assertEquals(200, bytes("{\"a\":\"%s\"}".formatted("鳥".repeat(100))) - bytes("{\"a\":\"\"}"));
        assertEquals(400, bytes("{\"a\":[%s]}".formatted("7,".repeat(99) + "7")) - bytes("{\"a\":[]}"));
        assertTrue(bytes("{\"a\":[[],[],[]]}") >= 5 * empty);
    }

    private long bytes(String body) {
        return parsing.parse(body.getBytes(StandardCharsets.UTF_8)).bytes();
    }
}
