package io.github.sgpt4j.error;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SgptExceptionTest {
    @Test
    void messagesStayOnOneLineWhateverTheyQuote() {
        assertEquals(
                "file: key a\\u000ab\\u001b[31m\\u2028\\u202e",
                new FormatException("file: key a\nb\u001b[31m\u2028\u202e").getMessage());
        assertEquals("x\\u0000", new BackendException("x\0", new IllegalStateException()).getMessage());
        assertEquals("Ünïcödé — ok", new UnsupportedModelException("Ünïcödé — ok").getMessage());
    }
}
