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

class ScoredPairsTest {
    private static final List<ScoredPairs.Pair> PAIRS =
            List.of(new ScoredPairs.Pair("a b", "c", 4.5), new ScoredPairs.Pair("d", "e", 0));

    @TempDir
    Path folder;

    private ScoredPairs read(String name, String text) throws IOException {
        return ScoredPairs.read(Files.writeString(folder.resolve(name), text));
    }

    @Test
    void readsJsonLinesAndBothKindsOfTabs() throws IOException {
        String json = """
                {"sentence1": " a b ", "sentence2": "c", "score": 4.5, "genre": 7}

                {"score": 0, "sentence2": "e", "sentence1": "d"}
                """;
        assertEquals(PAIRS, read("pairs.jsonl", json).pairs());
        assertEquals(PAIRS, read("plain.tsv", "a b \tc\t4.5\n\nd\te\t0\n").pairs());
        String named = """
                split\tscore\tsentence1\tsentence2
                train\t1\tx\ty
                dev\t4.5\ta b\tc
                test\t2\tx\ty
                dev\t0\td\te
                """;
        assertEquals(PAIRS, read("named.tsv", named).pairs());
        assertEquals(
                PAIRS,
                read("other.tsv", "sentence2\tsentence1\tscore\nc\ta b\t4.5\ne\td\t0")
                        .pairs());
    }

    @Test
    void compressedFilesAreTheSame() throws IOException {
        String text = "a b\tc\t4.5\nd\te\t0\n";
        Path packed = folder.resolve("pairs.tsv.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(read("pairs.tsv", text), ScoredPairs.read(packed));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.txt|x|expected a name ending in .jsonl, .tsv, .jsonl.gz or .tsv.gz",
                "a.tsv|x#y|line 1: expected two sentences and a score between tabs, or names of columns",
                "a.tsv|x#y#1;x#y|line 2: expected 3 fields separated by tabs, got 2",
                "a.tsv|x#y#high|line 1: expected a score, got \"high\"",
                "a.tsv|x#y#NaN|line 1: expected a finite score, got \"NaN\"",
                "a.tsv|x# #1|line 1: second sentence: expected a text, got an empty one",
                "a.tsv|x#y#1;z#y#1.0|expected pairs with different scores, found one score only",
                "a.tsv|split#sentence1#sentence2#score;test#x#y#1|expected pairs with different scores, found no pair",
                "a.jsonl|[]|line 1: expected an object, got an array",
                "a.jsonl|{\"sentence1\":\"a\",\"sentence2\":\"b\"}|line 1: expected \"score\", found none",
                "a.jsonl|{\"sentence1\":\"a\",\"score\":1}|line 1: expected \"sentence2\", found none",
                "a.jsonl|{\"sentence1\":2,\"sentence2\":\"b\",\"score\":1}|\"sentence1\": expected a string, got",
                "a.jsonl|{\"sentence1\":\"a\",\"sentence2\":\"b\",\"score\":\"1\"}|\"score\": expected a number, got",
                "a.jsonl|{\"sentence1\":\"a\",\"sentence2\":\"b\",\"score\":1e999}|expected a finite score, got",
            })
    void problemsNameFileAndLine(String name, String text, String complaint) {
        String written = text.replace(';', '\n').replace('#', '\t');
        String message =
                assertThrows(FormatException.class, () -> read(name, written)).getMessage();
        assertTrue(message.startsWith(folder.resolve(name) + ":"), message);
        assertTrue(message.contains(complaint), message);
    }
}
