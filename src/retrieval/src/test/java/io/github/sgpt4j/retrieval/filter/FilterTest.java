package io.github.sgpt4j.retrieval.filter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FilterTest {
    private static final Metadata DOCUMENT = Metadata.of(Map.of(
            "year",
            2020,
            "score",
            0.5,
            "lang",
            "en",
            "free",
            true,
            "date",
            "2024-05-17",
            "tags",
            List.of("a", "c"),
            "pages",
            List.of(0, 10.5),
            "with space",
            "x"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "year = 2020",
                "year == 2020.0",
                "YEAR != 2020",
                "year >= 2020 and lang = 'en'",
                "year > 2019 AND year < 2021",
                "year <= 2020e0",
                "not (year = 1 or lang in (\"x\", 'y'))",
                "lang in ('de', 'en')",
                "lang not in ('de')",
                "lang != \"1\"",
                "year != '2020'",
                "year not in ('2020', true)",
                "free = true",
                "free != false",
                "date >= '2024-05' and date < '2024-06'",
                "tags = 'a' and tags = \"c\" and tags != 'b'",
                "pages > 10 and pages < 1",
                "`with space` = 'x'",
                "lang = '\\u0065n'",
                "absent != 1 and absent not in (1)",
                "not absent = 1 and not not year = 2020",
                "lang = 'de' or year = 2020 and free = true",
                "score > -1 and score < +.75 and score = 5e-1",
            })
    void holds(String text) {
        assertTrue(Filter.parse(text).matches(DOCUMENT), text);
        assertFalse(Filter.parse("not (%s)".formatted(text)).matches(DOCUMENT), text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "year = '2020'",
                "year = true",
                "lang = 'EN'",
                "absent = 1",
                "absent < 1 or absent >= 1",
                "year < 'x' or year > ''",
                "lang < 5",
                "tags != 'a'",
                "tags not in ('c', 'd')",
                "pages > 1 and pages < 0",
                "free in ('true', 1)",
                "year = 2020 and lang = 'de' or free = false",
            })
    void doesNotHold(String text) {
        assertFalse(Filter.parse(text).matches(DOCUMENT), text);
        assertTrue(Filter.parse("not (%s)".formatted(text)).matches(DOCUMENT), text);
    }

    /// A pattern that tries every way to split the digits would take hours.
    @Test
    void aLongNumberTakesTimeInProportionToItsLength() {
        String digits = "1".repeat(500_000);
        assertTimeoutPreemptively(
                Duration.ofMinutes(1),
                () -> assertThrows(IllegalArgumentException.class, () -> Filter.parse("a = " + digits + "x")));
    }

    @Test
    void numbersCompareExactly() {
        long large = (1L << 53) + 1;
        Metadata whole = Metadata.of(Map.of("n", large));
        assertFalse(Filter.equal("n", 0x1p53).matches(whole));
        assertTrue(Filter.greater("n", 0x1p53).matches(whole));
        assertTrue(Filter.less("n", 0x1p63).matches(Metadata.of(Map.of("n", Long.MAX_VALUE))));
        assertTrue(Filter.equal("n", -0x1p63).matches(Metadata.of(Map.of("n", Long.MIN_VALUE))));
        assertTrue(Filter.equal("n", 0).matches(Metadata.of(Map.of("n", -0.0))));
        assertTrue(Filter.equal("n", 0.1f).matches(Metadata.of(Map.of("n", (double) 0.1f))));
        assertFalse(Filter.equal("n", 0.1f).matches(Metadata.of(Map.of("n", 0.1))));
    }

    @Test
    void stringsCompareByCodePoints() {
        Metadata last = Metadata.of(Map.of("s", "\ud83d\ude00"));
        assertTrue(Filter.greater("s", "\uffee").matches(last));
        assertTrue(Filter.less("s", "\ud83d\ude01").matches(last));
        assertTrue(Filter.greater("s", "").matches(last));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            ~~ | column 1: expected a name, "not" or "(", got the end
            year | column 5: expected =, !=, <, <=, >, >=, in or not in, got the end
            year 3 | column 6: expected =, !=, <, <=, >, >=, in or not in, got "3"
            year ! 3 | column 6: expected =, !=, <, <=, >, >=, in or not in, got "!"
            year =! 3 | column 6: expected !=, got "=!"
            year <> 3 | column 6: expected !=, got "<>"
            year => 3 | column 6: expected >=, got "=>"
            year =< 3 | column 6: expected <=, got "=<"
            year = 1 && b = 2 | column 10: expected "and", got "&"
            year = | column 7: expected a value, got the end
            year = en | column 8: expected a value: a number, true, false, or a string in quotes, got "en"
            year = 2020-05-17 | column 8: expected a number (a date or version is a string, in quotes), got "2020-05-17"
            year = 9223372036854775808 | column 8: expected a whole number of 64 bits, got "9223372036854775808"
            year = 1e999 | column 8: metadata "year": expected a finite number, got Infinity
            year < true | column 8: "year": expected a number or string to compare with, got a boolean
            year not 3 | column 10: expected "in" after "not", got "3"
            year in 3 | column 9: expected "(" after "in", got "3"
            year in () | column 10: expected a value, got ")"
            year in (1 2) | column 12: expected "," or ")", got "2"
            year = 1 year = 2 | column 10: expected "and", "or" or the end, got "year"
            (year = 1 | column 10: expected "and", "or" or ")", got the end
            year = 1) | column 9: expected "and", "or" or the end, got ")"
            in = 3 | column 1: expected a name, got the keyword "in", which as a name stands in backticks
            year = 'x | column 10: expected ', which ends what begins at column 8, got the end
            year = '\\x' | column 10: expected a quote, a backslash, n, r, t or u after a backslash, got "x"
            year = '\\u12' | column 11: expected four hexadecimal digits, got "12'"
            year = '\\ud800' | column 8: metadata "year": expected Unicode text, got half a surrogate pair
            year ; 3 | column 6: expected a name, value or operator, got ";"
            `` = 3 | column 6: metadata: expected a name, got an empty one
            and | column 1: expected a name, got the keyword "and"
            """)
    void saysWhereATextIsWrong(String text, String message) {
        String wrong = assertThrows(IllegalArgumentException.class, () -> Filter.parse(text))
                .getMessage();
        assertTrue(wrong.startsWith("filter: " + message), wrong);
    }

    @Test
    void boundsLengthAndDepth() {
        assertRefused("x".repeat(Filter.MAX_CHARACTERS + 1), "expected at most 16,777,216 characters");
        assertRefused("(".repeat(100_000), "at most 128 levels of \"not\" and parentheses");
        assertRefused("not ".repeat(100_000), "at most 128 levels of \"not\" and parentheses");
        assertRefused("not ".repeat(100) + "a = 1", "nested at most 64 deep");
        assertRefused(String.join(" or ", Collections.nCopies(5000, "a = 1")), "at most 4,096 conditions");
        assertThrows(IllegalArgumentException.class, () -> Filter.in("a", List.of()));
        assertThrows(IllegalArgumentException.class, () -> Filter.and(List.of()));
        assertThrows(IllegalArgumentException.class, () -> Filter.equal("a", List.of(1)));
        assertThrows(IllegalArgumentException.class, () -> Filter.equal("a", new Object()));
        String long4 = "x".repeat(Filter.MAX_BOUND_BYTES + 1);
        assertThrows(IllegalArgumentException.class, () -> Filter.atLeast("a", long4));
        assertTrue(Filter.equal("a", long4).matches(Metadata.of(Map.of("a", long4))));
    }

    private static void assertRefused(String text, String message) {
        String wrong = assertThrows(IllegalArgumentException.class, () -> Filter.parse(text))
                .getMessage();
        assertTrue(wrong.contains(message), wrong);
    }

    @Test
    void namesAreCollected() {
        assertEquals(
                Set.of("a", "b", "c", "d"),
                Filter.parse("a = 1 or not (b in (2) and c < 3) and d != 4").names());
    }

    @Test
    void everyFilterReadsBackFromItsText() {
        long seed = Long.getLong("sgpt4j.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 5000; i++) {
            Filter filter = RandomFilters.filter(random, 4);
            assertEquals(filter, Filter.parse(filter.toString()), () -> "seed %d: %s".formatted(seed, filter));
        }
        Filter deep = Filter.equal("a", 1);
        for (int i = 1; i < Filter.MAX_DEPTH; i += 2) {
            deep = i + 1 < Filter.MAX_DEPTH ? Filter.not(Filter.and(deep, Filter.equal("b", 2))) : Filter.not(deep);
        }
        assertEquals(deep, Filter.parse(deep.toString()));
    }

    @Test
    void randomTextsAreReadOrRefusedInOneSentence() {
        long seed = Long.getLong("sgpt4j.test.seed", System.nanoTime());
        Random random = new Random(seed);
        String[] pieces = {
            "a", "b", "=", "!=", "<", "in", "not", "and", "or", "(", ")", ",", "1", "'x'", "`", "\\", "\""
        };
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(12); n > 0; n--) {
                text.append(pieces[random.nextInt(pieces.length)]).append(random.nextBoolean() ? " " : "");
            }
            try {
                Filter.parse(text.toString());
            } catch (IllegalArgumentException e) {
                assertTrue(
                        e.getMessage().matches("filter: column \\d+: [^\\n]*expected .*, got .*"),
                        () -> "seed %d: %s: %s".formatted(seed, text, e.getMessage()));
            }
        }
    }

    @Test
    void manyNumbersAreFoundWithoutComparingEach() {
        List<Double> wanted = new ArrayList<>();
        for (int i = 0; i < Filter.MAX_VALUES; i++) {
            wanted.add(i + 0.5);
        }
        Filter in = Filter.in("n", wanted);
        List<Double> others = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            others.add(i + 0.25);
        }
        assertTimeoutPreemptively(
                Duration.ofSeconds(30), () -> assertFalse(in.matches(Metadata.of(Map.of("n", others)))));
        others.add(7.5);
        assertTrue(in.matches(Metadata.of(Map.of("n", others))));
    }

    @Test
    void anInHoldsExactlyWhereOneOfItsValuesIsEqual() {
        List<Object> numbers = List.of(
                0L,
                -0.0,
                0.0,
                1.0,
                1L,
                0.1,
                (1L << 53) + 1,
                0x1p53,
                0x1p62,
                1L << 62,
                0x1p63,
                -0x1p63,
                Long.MAX_VALUE,
                Long.MIN_VALUE,
                Math.nextDown(0x1p63),
                1e300,
                -1e300,
                Double.MIN_VALUE,
                "1",
                true);
        for (Object a : numbers) {
            for (Object b : numbers) {
                boolean equal = a instanceof Number x && b instanceof Number y
                        ? exact(x).compareTo(exact(y)) == 0
                        : a.equals(b);
                Metadata document = Metadata.of(Map.of("n", a));
                assertEquals(equal, Filter.equal("n", b).matches(document), a + " and " + b);
                assertEquals(equal, Filter.in("n", List.of(b)).matches(document), a + " in " + b);
                if (a instanceof Number && b instanceof Number) {
                    assertEquals(
                            equal,
                            Filter.atLeast("n", b).matches(document)
                                    && Filter.atMost("n", b).matches(document),
                            a + " and " + b);
                }
            }
        }
    }

    private static BigDecimal exact(Number number) {
        return number instanceof Long whole ? BigDecimal.valueOf(whole) : new BigDecimal(number.doubleValue());
    }

    /// What can be made can be read back: a filter whose text would be too long is refused.
    @Test
    void aFilterOfAnySizeReadsBackFromItsText() {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < Filter.MAX_VALUES; i++) {
            values.add("%036d".formatted(i));
        }
        Filter large = Filter.in("id", values);
        assertTrue(large.toString().length() > 1 << 20);
        assertEquals(large, Filter.parse(large.toString()));
        assertEquals(Filter.not(large), Filter.parse(Filter.not(large).toString()));
        // Each of these has more than half of what is allowed.
        Filter part = Filter.equal("a", "\u0001".repeat(1_000_000));
        Filter most = Filter.and(part, part);
        assertEquals(most, Filter.parse(most.toString()));
        String message = assertThrows(IllegalArgumentException.class, () -> Filter.or(most, part))
                .getMessage();
        assertEquals(
                "filter: expected at most 16,777,216 characters as text, got %,d"
                        .formatted(("(" + most + ") or " + part).length()),
                message);
        assertTrue(assertThrows(
                        IllegalArgumentException.class,
                        () -> Filter.in("`", Collections.nCopies(20, "\"".repeat(500_000))))
                .getMessage()
                .contains("expected at most 16,777,216 characters as text, got 20,000,0"));
    }

    @Test
    void nullsAreNamed() {
        Map<String, Executable> calls = new LinkedHashMap<>();
        calls.put("name", () -> Filter.equal(null, 1));
        calls.put("value", () -> Filter.notEqual("a", null));
        calls.put("values", () -> Filter.in("a", null));
        calls.put("values: expected values, got null", () -> Filter.in("a", Arrays.asList(1, null)));
        calls.put("bound", () -> Filter.atMost("a", null));
        calls.put("side", () -> new Filter.Range("a", null, 1));
        calls.put("filter", () -> Filter.not(null));
        calls.put("filters", () -> Filter.and((List<Filter>) null));
        calls.put("filters: expected filters, got null", () -> Filter.or(Filter.equal("a", 1), null));
        calls.put("text", () -> Filter.parse(null));
        calls.forEach((message, call) -> assertEquals(
                message, assertThrows(NullPointerException.class, call).getMessage()));
        assertEquals(
                "filters: expected filters, got null",
                assertThrows(NullPointerException.class, () -> Filter.and(Collections.singletonList(null)))
                        .getMessage());
        assertEquals(
                "name",
                assertThrows(NullPointerException.class, () -> Filter.less(null, 1))
                        .getMessage());
    }
}
