package io.github.sgpt4j.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuotedTest {
    @ParameterizedTest
    @CsvSource({"'é ▁x', 'é ▁x'", "'a\u202eb', 'a\\u202eb'", "'\u001b[31m', '\\u001b[31m'", "'\u200b', '\\u200b'"})
    void charactersThatSteerATerminalAreEscapes(String text, String shown) {
        assertEquals('"' + shown + '"', Quoted.of(text));
    }
}
