package io.github.sgpt4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RowSourceTest {
    @TempDir
    Path folder;

    private TripleSource open(String name, String text, DataOptions options) throws IOException {
        Path file = Files.writeString(folder.resolve(name), text);
        return TrainingData.open(file, DataForm.AUTO, options);
    }

    private String failure(String name, String text, DataOptions options) {
        String message = assertThrows(FormatException.class, () -> open(name, text, options))
                .getMessage();
        return message.replace(folder + "/", "");
    }

    private static final String TWO_ROWS = """
            {"query": " a ", "positive": "b", "negative": "c"}

            {"positive": ["d", "e"], "ids": [1], "anchor": "f", "negative": ["g"], "negative_2": ["h", "i"]}
            """;

    @Test
    void readsJsonLines() throws IOException {
        try (TripleSource source = open("rows.jsonl", TWO_ROWS, DataOptions.DEFAULT)) {
            assertEquals(2, source.rows());
            assertEquals(1, source.negatives());
            assertEquals(new Triple("a", "b", List.of("c")), source.row(0, 0));
            assertEquals(new Triple("a", "b", List.of("c")), source.row(0, 5));
            assertEquals(new Triple("f", "d", List.of("g")), source.row(1, 0));
            assertEquals(new Triple("f", "e", List.of("h")), source.row(1, 1));
            assertEquals(new Triple("f", "d", List.of("i")), source.row(1, 2));
            assertEquals(new Triple("f", "e", List.of("g")), source.row(1, 3));
            assertEquals(List.of(), source.notices());
        }
    }

    @Test
    void severalNegativesTakeTurnsTogether() throws IOException {
        String row = """
                {"query": "q", "positive": "p", "negative": ["1", "2", "3"]}
                """;
        try (TripleSource source = open("rows.jsonl", row, DataOptions.DEFAULT.withNegatives(2))) {
            assertEquals(List.of("1", "2"), source.row(0, 0).negatives());
            assertEquals(List.of("3", "1"), source.row(0, 1).negatives());
            assertEquals(List.of("2", "3"), source.row(0, 2).negatives());
            assertEquals(source.row(0, 0), source.row(0, 3_000_000_000L));
        }
    }

    @Test
    void readsFieldsSeparatedByTabs() throws IOException {
        try (TripleSource source = open("rows.tsv", "a\tb\u00A0\tc\r\n\nd\te\tf\tg", DataOptions.DEFAULT)) {
            assertEquals(2, source.rows());
            assertEquals(new Triple("a", "b", List.of("c")), source.row(0, 0));
            assertEquals(new Triple("d", "e", List.of("g")), source.row(1, 1));
        }
    }

    @Test
    void pairsHaveNoNegatives() throws IOException {
        try (TripleSource source = open("rows.tsv", "a\tb\nc\td\n", DataOptions.DEFAULT)) {
            assertEquals(0, source.negatives());
            assertEquals(new Triple("c", "d", List.of()), source.row(1, 0));
        }
        try (TripleSource source = open("rows.jsonl", TWO_ROWS, DataOptions.DEFAULT.withNegatives(0))) {
            assertEquals(new Triple("f", "d", List.of()), source.row(1, 0));
        }
    }

    @Test
    void readsCompressedFiles() throws IOException {
        Path packed = folder.resolve("rows.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(TWO_ROWS.getBytes(StandardCharsets.UTF_8));
        }
        try (TripleSource source = TrainingData.open(packed, DataForm.ROWS, DataOptions.DEFAULT);
                TripleSource plain = open("rows.jsonl", TWO_ROWS, DataOptions.DEFAULT)) {
            assertEquals(plain.row(1, 1), source.row(1, 1));
            assertEquals(plain.files(), source.files());
        }
    }

    @Test
    void contradictionsAreTold() throws IOException {
        String rows = "a\tb\tc\nd\te\te\nf\tg \tg\n";
        try (TripleSource source = open("rows.tsv", rows, DataOptions.DEFAULT)) {
            assertEquals(
                    List.of("rows with a positive that equals a negative: 2, the first is %s: line 2"
                            .formatted(folder.resolve("rows.tsv"))),
                    source.notices());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "[1]|expected an object, got an array",
                "{}|expected \"query\" or \"anchor\", found neither",
                "{\"query\": \"a\"}|expected \"positive\", found none",
                "{\"query\": \"a\", \"anchor\": \"b\", \"positive\": \"c\"}|expected \"query\" or \"anchor\", found both",
                "{\"query\": 1, \"positive\": \"c\"}|\"query\": expected a string, got a number",
                "{\"query\": \" \\t\", \"positive\": \"c\"}|\"query\": expected a text, got an empty one",
                "{\"query\": \"a\", \"positive\": []}|\"positive\": expected at least one text, got an empty array",
                "{\"query\": \"a\", \"positive\": [\"b\", null]}|\"positive\": expected a string, got null",
                "{\"query\": \"a\", \"positive\": \"b\", \"negative\": {}}|\"negative\": expected a string, got an object",
                "{\"query\": \"a\", \"positive\": \"\\ud800\"}|\"positive\": expected Unicode text, got half a surrogate pair",
                "{\"query\": \"a\", \"positive\": \"b\", \"positive\": \"c\"}|not valid JSON at column 43: expected key positive once, got it twice",
                "{\"query\": \"a\", \"positive\": \"b\", \"negatives\": \"c\"}|expected the keys \"query\" or \"anchor\", \"positive\" and \"negative\", got \"negatives\"",
                "{\"query\": \"a\", \"positive\": \"b\"} x|not valid JSON at column 33: expected a value, got x"
            })
    void brokenJsonRowsAreErrors(String line, String problem) {
        String rows = "{\"query\": \"a\", \"positive\": \"b\"}\n\n" + line + "\n";
        assertEquals("rows.jsonl: line 3: " + problem, failure("rows.jsonl", rows, DataOptions.DEFAULT));
    }

    @Test
    void brokenFieldsAreErrors() {
        assertEquals(
                "rows.tsv: line 2: expected a query and a positive separated by a tab, got no tab",
                failure("rows.tsv", "a\tb\nc\n", DataOptions.DEFAULT));
        assertEquals(
                "rows.tsv: line 1: field 2: expected a text, got an empty one",
                failure("rows.tsv", "a\t \tc\n", DataOptions.DEFAULT));
        assertEquals("rows.tsv: expected lines, found none", failure("rows.tsv", "\n \n", DataOptions.DEFAULT));
    }

    @Test
    void theNumberOfNegativesFitsEveryRow() {
        assertEquals(
                "rows.tsv: line 2: expected negatives, at least 1, got 0",
                failure("rows.tsv", "a\tb\tc\nd\te\n", DataOptions.DEFAULT));
        assertEquals(
                "rows.tsv: line 1: expected negatives, at least 2, got 1",
                failure("rows.tsv", "a\tb\tc\n", DataOptions.DEFAULT.withNegatives(2)));
        assertEquals(
                "rows.tsv: line 2: expected no negatives as in the first row (rows.tsv: line 1), got 1",
                failure("rows.tsv", "a\tb\nd\te\tf\n", DataOptions.DEFAULT));
    }

    @Test
    void bytesThatAreNotUtf8AreErrors() throws IOException {
        Path file = folder.resolve("rows.tsv");
        Files.write(file, new byte[] {'a', '\t', 'b', '\n', 'c', '\t', (byte) 0xFF, '\n'});
        assertEquals(
                file + ": line 2: expected UTF-8, got byte 0xff at byte 3",
                assertThrows(FormatException.class, () -> TrainingData.open(file, DataForm.AUTO, DataOptions.DEFAULT))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rows.txt", "rows", "rows.json", "rows.gz"})
    void otherNamesAreRefused(String name) {
        assertEquals(
                name + ": expected a folder or a name ending in .jsonl, .tsv, .jsonl.gz or .tsv.gz",
                failure(name, "a\tb", DataOptions.DEFAULT));
    }

    @Test
    void aMissingFileIsAnError() {
        Path missing = folder.resolve("none.jsonl");
        assertEquals(
                missing + ": expected a file, found nothing there",
                assertThrows(
                                FormatException.class,
                                () -> TrainingData.open(missing, DataForm.AUTO, DataOptions.DEFAULT))
                        .getMessage());
    }

    @Test
    void aDamagedGzFileIsAnError() throws IOException {
        String message = failure("rows.tsv.gz", "a\tb\n", DataOptions.DEFAULT);
        assertTrue(message.startsWith("rows.tsv.gz: cannot be read: "), message);
    }

    @Test
    void aChangedFileIsAnError() throws IOException {
        try (TripleSource source = open("rows.tsv", "a\tb\nc\td\ne\tf\n", DataOptions.DEFAULT)) {
            Files.writeString(folder.resolve("rows.tsv"), "a\tb\nc\tx\n");
            assertEquals(new Triple("a", "b", List.of()), source.row(0, 0));
            for (int row : new int[] {1, 2}) {
                assertEquals(
                        "%s: byte %d: expected the line that was there when the file was opened, the file was changed"
                                .formatted(folder.resolve("rows.tsv"), 4 * row),
                        assertThrows(FormatException.class, () -> source.row(row, 0))
                                .getMessage());
            }
        }
    }

    @Test
    void optionsAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> DataOptions.DEFAULT.withNegatives(-1));
        assertThrows(IllegalArgumentException.class, () -> DataOptions.DEFAULT.withHardNegatives(0, 3));
        assertThrows(IllegalArgumentException.class, () -> DataOptions.DEFAULT.withHardNegatives(1, -1));
        assertThrows(IllegalArgumentException.class, () -> DataOptions.DEFAULT.withHardNegatives(1, Double.NaN));
    }
}
