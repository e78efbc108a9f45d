package io.github.sgpt4j.retrieval.corpus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataTest {
    @Test
    void valuesBecomeOneOfAFewClasses() {
        Map<String, Object> given = new LinkedHashMap<>();
        given.put("z", 1);
        given.put("short", (short) 2);
        given.put("byte", (byte) 3);
        given.put("float", 0.1f);
        given.put("set", Set.of("one"));
        given.put("array", new int[] {1, 2});
        given.put("mixed", new Object[] {1, 0.5});
        given.put("truth", true);
        Metadata metadata = Metadata.of(given);
        assertEquals(
                List.of("z", "short", "byte", "float", "set", "array", "mixed", "truth"),
                List.copyOf(metadata.asMap().keySet()));
        assertEquals(
                List.of(1L, 2L, 3L, (double) 0.1f, List.of("one"), List.of(1L, 2L), List.of(1L, 0.5), true),
                List.copyOf(metadata.asMap().values()));
        assertEquals(Optional.of(1L), metadata.get("z"));
        assertEquals(Optional.empty(), metadata.get("absent"));
        assertEquals("{z=1}", Metadata.of(Map.of("z", 1)).toString());
        given.put("z", 7);
        assertEquals(Optional.of(1L), metadata.get("z"));
        assertThrows(UnsupportedOperationException.class, () -> metadata.asMap().clear());
        assertTrue(Metadata.EMPTY.isEmpty());
        assertEquals(Metadata.EMPTY, Metadata.of(Map.of()));
    }

    @Test
    void othersAreRefusedByName() {
        assertRefused("k", null, "metadata \"k\": expected a string, number or boolean, or a list of one");
        assertRefused("k", Double.NaN, "metadata \"k\": expected a finite number, got NaN");
        assertRefused("k", Float.NEGATIVE_INFINITY, "metadata \"k\": expected a finite number, got -Infinity");
        assertRefused("k", new StringBuilder(), "got java.lang.StringBuilder");
        assertRefused("k", List.of(), "metadata \"k\": expected a list with values, or no entry, got an empty list");
        assertRefused("k", List.of("a", 1), "metadata \"k\": expected a list of one kind, got a string and a number");
        assertRefused("k", List.of(List.of(1)), "metadata \"k\": expected a list of strings, numbers or booleans");
        assertRefused("k", Arrays.asList("a", null), "got null");
        assertRefused("k", "\ud800", "metadata \"k\": expected Unicode text, got half a surrogate pair");
        assertRefused("", 1, "metadata: expected a name, got an empty one");
        assertRefused("n".repeat(257), 1, "expected a name of at most 256 characters, got 257");
        assertRefused("k", "x".repeat(Metadata.MAX_CHARACTERS), "expected at most 1,048,576 characters");
        Map<String, Object> many = new HashMap<>();
        for (int i = 0; i <= Metadata.MAX_ENTRIES; i++) {
            many.put("k" + i, i);
        }
        assertThrows(IllegalArgumentException.class, () -> Metadata.of(many));
    }

    private static void assertRefused(String name, Object value, String message) {
        String wrong = assertThrows(
                        IllegalArgumentException.class, () -> Metadata.of(Collections.singletonMap(name, value)))
                .getMessage();
        assertTrue(wrong.contains(message), wrong);
    }

    private static List<Document> read(String lines) throws IOException {
        List<Document> documents = new ArrayList<>();
        try (CorpusReader reader =
                CorpusReader.ofJsonLines(new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)), "lines")) {
            reader.forEachRemaining(documents::add);
        }
        return documents;
    }

    @Test
    void jsonLinesHaveThem() throws IOException {
        List<Document> documents = read("""
                {"_id": "a", "text": "x", "metadata": {"year": 2020, "s": 1.0, "t": ["p", "q"], "no": null, "e": []}}
                {"_id": "b", "text": "x", "metadata": {}}
                {"_id": "c", "text": "x", "metadata": null, "year": {"nested": 1}}
                """);
        assertEquals(
                "{year=2020, s=1.0, t=[p, q]}", documents.getFirst().metadata().toString());
        assertEquals(Metadata.EMPTY, documents.get(1).metadata());
        assertEquals(Metadata.EMPTY, documents.get(2).metadata());
    }

    @Test
    void whatCannotBeMetadataIsRefusedWithItsLine() {
        assertLineRefused("{\"a\": {\"b\": 1}}", "lines: line 1: metadata \"a\": expected a string, number, boolean");
        assertLineRefused("{\"a\": [[1]]}", "got an array");
        assertLineRefused("{\"a\": [null]}", "got null");
        assertLineRefused("{\"a\": [1, \"x\"]}", "lines: line 1: metadata \"a\": expected a list of one kind");
        assertLineRefused("{\"a\": 9223372036854775808}", "expected whole numbers of 64 bits, got a larger one");
        assertLineRefused("{\"a\": 1e999}", "expected a finite number");
        assertLineRefused("{\"\": 1}", "expected a name");
        assertLineRefused("7", "lines: line 1: \"metadata\": expected an object, got a number");
    }

    @Test
    void aNameThatIsThereTwiceIsRefusedWithItsLine() throws IOException {
        assertLineRefused(
                "{\"year\": 1, \"t\": [{\"year\": 1}, 2], \"year\": 1}",
                "lines: line 1: metadata \"year\": expected it once in an object, got it twice");
        assertLineRefused(
                "{\"year\": 1}, \"metadata\": {\"lang\": 1}",
                "lines: line 1: \"metadata\": expected it once in an object, got it twice");
        String twice = "{\"text\": \"x\", \"n\": 1, \"metadata\": {\"m\": 1}, \"n\": 2, \"other\": 1, \"other\": 2}";
        JsonRecords records = new JsonRecords(new MetadataFields(false, List.of("n")));
        assertEquals(
                "here: metadata \"n\": expected it once in an object, got it twice",
                assertThrows(FormatException.class, () -> records.parse("here", twice))
                        .getMessage());
        // Keys that are not metadata are not compared.
        assertEquals(1, read(twice).size());
        String large = "{\"text\": \"%s\", \"metadata\": {\"m\": 1}}".formatted("x".repeat(30_000_000));
        assertEquals(1, read(large).size());
    }

    private static void assertLineRefused(String metadata, String message) {
        String wrong = assertThrows(
                        FormatException.class, () -> read("{\"text\": \"x\", \"metadata\": %s}".formatted(metadata)))
                .getMessage();
        assertTrue(wrong.contains(message), wrong);
    }

    @Test
    void otherKeysCanBeMetadata(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("c.jsonl");
        Files.writeString(file, """
                {"text": "x", "title": "t", "year": 2020, "metadata": {"lang": "en"}}
                {"text": "x", "lang": "de", "metadata": {"nested": {}}}
                """);
        try (CorpusReader reader = CorpusReader.open(file, List.of("year", "title"))) {
            assertEquals(
                    "{lang=en, year=2020, title=t}", reader.next().metadata().toString());
            assertThrows(FormatException.class, reader::next);
        }
        try (CorpusReader reader = CorpusReader.openWithoutMetadata(file)) {
            reader.forEachRemaining(document -> assertEquals(Metadata.EMPTY, document.metadata()));
        }
        Files.writeString(file, "{\"text\": \"x\", \"lang\": \"de\", \"metadata\": {\"lang\": \"en\"}}");
        try (CorpusReader reader = CorpusReader.open(file, List.of("lang"))) {
            assertTrue(assertThrows(FormatException.class, reader::next)
                    .getMessage()
                    .contains("metadata \"lang\": expected it either beside \"metadata\" or within, got both"));
        }
    }

    @Test
    void jsonReadsBackAsTheSame() throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("quote \" and \n line \u0007", "\u2028 \ud83d\ude00 \\ \"");
        values.put("least", Long.MIN_VALUE);
        values.put("odd", (1L << 53) + 1);
        values.put("one", 1.0);
        values.put("tenth", List.of(0.1, -0.0, Double.MIN_VALUE, Double.MAX_VALUE));
        values.put("mixed", List.of(1L, 1.0));
        values.put("truth", List.of(true, false));
        Metadata metadata = Metadata.of(values);
        assertEquals(
                metadata,
                read("{\"text\": \"x\", \"metadata\": %s}".formatted(metadata.toJson()))
                        .getFirst()
                        .metadata());
        assertEquals(
                "{\"share\":[0.5,2]}",
                Metadata.of(Map.of("share", List.of(0.5, 2))).toJson());
        assertEquals("{}", Metadata.EMPTY.toJson());
    }

    @Test
    void keysOfPlainTextAndImpossibleNamesAreRefused(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("c.txt"), "x\n");
        for (Path plain : List.of(text, folder)) {
            String wrong = assertThrows(IllegalArgumentException.class, () -> CorpusReader.open(plain, List.of("year")))
                    .getMessage();
            assertEquals(
                    plain + ": expected JSON Lines, whose objects may have the key \"year\", got plain text", wrong);
            CorpusReader.open(plain, List.of()).close();
        }
        Path lines = Files.writeString(folder.resolve("c.jsonl"), "{\"text\": \"x\", \"year\": 2020}");
        assertThrows(IllegalArgumentException.class, () -> CorpusReader.open(lines, List.of("")));
        try (CorpusReader reader = CorpusReader.open(lines, List.of("year", "year"))) {
            assertEquals("{year=2020}", reader.next().metadata().toString());
        }
    }
}
