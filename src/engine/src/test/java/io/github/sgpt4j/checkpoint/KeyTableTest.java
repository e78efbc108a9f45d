package io.github.sgpt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The format of the tables.
class KeyTableTest {
    private static final String TEXT = """
            # a comment
            size          | used
            seed | harmless | training only
            scale         | refused unless 1, "none", {} | not scaled
            code   | refused | not run
            *_token       | used
            a*b*c | harmless | a pattern
            outer | used
            outer.inner | used

            [one, two]
            size | harmless | not of this kind
            extra | used
            """;

    private static Optional<KeyRule> rule(String kind, String key) {
        return KeyTable.parse("t", kind, TEXT).rule(key);
    }

    @Test
    void rowsOfASectionHoldForItsKindsAndComeFirst() {
        assertInstanceOf(KeyRule.Used.class, rule("", "size").orElseThrow());
        assertInstanceOf(KeyRule.Harmless.class, rule("two", "size").orElseThrow());
        assertTrue(rule("one", "extra").isPresent());
        assertTrue(rule("three", "extra").isEmpty());
        assertEquals(new KeyRule.Harmless("training only"), rule("one", "seed").orElseThrow());
    }

    @ParameterizedTest
    @CsvSource({
        "pad_token, true",
        "_token, true",
        "token, false",
        "pad_tokens, false",
        "abc, true",
        "a1b2c, true",
        "ab, false",
        "abbc, true",
        "acb, false",
        "outer.other, false",
        "*, false",
    })
    void patternsStandForAnyCharacters(String key, boolean known) {
        assertEquals(known, rule("", key).isPresent());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "scale; 1; true",
                "scale; 1.0; true",
                "scale; null; true",
                "scale; \"none\"; true",
                "scale; {}; true",
                "scale; 2; false",
                "scale; \"1\"; false",
                "scale; []; false",
                "scale; {\"a\": 1}; false",
                "code; null; true",
                "code; false; false"
            })
    void neutralValuesPass(String key, String value, boolean passes) throws Exception {
        KeyRule.Refused rule =
                assertInstanceOf(KeyRule.Refused.class, rule("", key).orElseThrow());
        assertEquals(passes, rule.allows(new ObjectMapper().readTree(value)));
    }

    @Test
    void allowedValuesAreNamed() {
        KeyRule.Refused rule =
                assertInstanceOf(KeyRule.Refused.class, rule("", "scale").orElseThrow());
        assertEquals("1, \"none\", {} or none", rule.allowed());
        assertEquals(
                "none",
                assertInstanceOf(KeyRule.Refused.class, rule("", "code").orElseThrow())
                        .allowed());
    }

    @Test
    void objectsWithRowsForTheirMembersAreLookedInto() {
        KeyTable table = KeyTable.parse("t", "", TEXT);
        assertTrue(table.hasMembersOf("outer"));
        assertFalse(table.hasMembersOf("size"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "size",
                "size | fine | why",
                "size | harmless",
                "size | refused unless x | why",
                "a | used | \na | used"
            })
    void brokenRowsAreProgrammingErrors(String text) {
        assertThrows(
                IllegalStateException.class,
                () -> KeyTable.parse("t", "", text).rule("size").isPresent());
    }
}
