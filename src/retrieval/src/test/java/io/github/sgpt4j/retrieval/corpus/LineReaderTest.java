package io.github.sgpt4j.retrieval.corpus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineReaderTest {
    @Test
    void endsLinesAtNewlinesWithOrWithoutCarriageReturn() {
        assertEquals(List.of(), read(""));
        assertEquals(List.of(""), read("\n"));
        assertEquals(List.of("a"), read("a"));
        assertEquals(List.of("a"), read("a\n"));
        assertEquals(List.of("a", "", " b\rc ", "d\r"), read("a\r\n\n b\rc \nd\r"));
        assertEquals(List.of("\u2028\u0085x"), read("\u2028\u0085x\n"));
    }

    @Test
    void passesOverAByteOrderMarkAtTheBeginningOnly() {
        assertEquals(List.of("a", "\uFEFFb"), read("\uFEFFa\n\uFEFFb"));
        assertEquals(List.of(""), read("\uFEFF"));
    }

    @ParameterizedTest
    @ValueSource(ints = {65534, 65535, 65536, 65537, 200_000})
    void readsLinesAcrossBuffers(int length) {
        String line = "é".repeat(length / 2) + "x".repeat(length % 2);
        assertEquals(List.of(line, "next"), read(line + "\r\nnext"));
    }

    @Test
    void tellsWhereLinesStart() {
        String first = "é".repeat(40_000);
        LineReader reader = new LineReader(stream("\uFEFF" + first + "\r\n\nlast"), "name");
        assertEquals(first, reader.next().orElseThrow());
        assertEquals(0, reader.start());
        assertEquals("", reader.next().orElseThrow());
        assertEquals(80_005, reader.start());
        assertEquals("last", reader.next().orElseThrow());
        assertEquals(80_006, reader.start());
        assertTrue(reader.next().isEmpty());
        assertEquals(80_010, reader.start());
    }

    @ParameterizedTest
    @ValueSource(strings = {"80", "c0 80", "e2 82", "ed a0 80", "f4 90 80 80", "ff"})
    void refusesInvalidUtf8(String hex) {
        byte[] bytes = new byte[hex.split(" ").length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.split(" ")[i], 16);
        }
        LineReader reader = new LineReader(new ByteArrayInputStream(bytes), "name");
        String message = assertThrows(FormatException.class, reader::next).getMessage();
        assertEquals("name: line 1: expected UTF-8, got byte 0x%02x at byte 1".formatted(bytes[0]), message);
    }

    @Test
    void boundsTheLengthOfALine() {
        assertEquals(
                "12345", new LineReader(stream("12345\r\n6"), "name", 5).next().orElseThrow());
        LineReader reader = new LineReader(stream("1\n1234567"), "name", 5);
        reader.next();
        assertTrue(
                assertThrows(FormatException.class, reader::next).getMessage().startsWith("name: line 2: expected at"));
    }

    @Test
    void namesTheLineWhereReadingFails() {
        InputStream broken = new InputStream() {
            private int count;

            @Override
            public int read() throws IOException {
                throw new IOException("gone");
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                if (count++ > 0) {
                    throw new IOException("gone");
                }
                bytes[offset] = 'a';
                bytes[offset + 1] = '\n';
                return 2;
            }
        };
        LineReader reader = new LineReader(broken, "name");
        assertEquals(Optional.of("a"), reader.next());
        assertEquals(
                "name: line 2: cannot be read: gone",
                assertThrows(FormatException.class, reader::next).getMessage());
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> read(String text) {
        LineReader reader = new LineReader(stream(text), "name");
        List<String> lines = new ArrayList<>();
        for (Optional<String> line = reader.next(); line.isPresent(); line = reader.next()) {
            lines.add(line.get());
        }
        return lines;
    }
}
