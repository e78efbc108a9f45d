package io.github.sgpt4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.training.Goldens;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MsMarcoSourceTest {
    private static final List<String> NAMES =
            List.of("collection.tsv", "queries.train.tsv", "hard-negatives.jsonl", "ce-scores.jsonl");

    @TempDir
    Path folder;

    @BeforeEach
    void writeFiles() throws IOException {
        Files.writeString(folder.resolve("collection.tsv"), "7\tseven\n3\t three \n9\tseven\n1\tone\n");
        Files.writeString(folder.resolve("queries.train.tsv"), "5\tfive\n2\ttwo\n");
        Files.writeString(folder.resolve("hard-negatives.jsonl"), """
                {"qid": 2, "pos": [3], "neg": {"a": [1, 7, 9]}}
                {"qid": 5, "pos": [7], "neg": {"b": [1], "a": [3, 9]}}
                """);
        Files.writeString(folder.resolve("ce-scores.jsonl"), """
                {"qid": 5, "scores": {"7": 5.0, "1": 1, "3": 4.0, "9": 2.0}}
                {"qid": 8, "scores": {"7": 5.0}}
                {"qid": 2, "scores": {"3": 9.5, "1": -1e1, "7": 6.5, "9": 6.50001}}
                """);
    }

    private String failure() {
        String message = assertThrows(
                        FormatException.class, () -> TrainingData.open(folder, DataForm.AUTO, DataOptions.DEFAULT))
                .getMessage();
        return message.replace(folder + "/", "").replace(folder.toString(), "folder");
    }

    @Test
    void idsNeedNotAscend() throws IOException {
        try (TripleSource source = TrainingData.open(folder, DataForm.AUTO, DataOptions.DEFAULT.withNegatives(2))) {
            // Query 5 has one negative only: 3 scores too high, system b is not one of the first line.
            assertEquals(1, source.rows());
            Triple triple = source.row(0, 0);
            assertEquals("two", triple.anchor());
            assertEquals("three", triple.positive());
            assertEquals(
                    List.of("one", "seven"),
                    triple.negatives().stream().sorted().toList());
            assertEquals(List.of("queries left out without enough negatives, 2: 1"), source.notices());
        }
    }

    @Test
    void equalTextsOfAPositiveAndANegativeAreTold() throws IOException {
        try (TripleSource source = TrainingData.open(folder, DataForm.MSMARCO, DataOptions.DEFAULT)) {
            assertEquals(2, source.rows());
            assertEquals("seven", source.row(1, 0).positive());
            assertEquals(
                    List.of("rows with a positive that equals a negative: 1, the first is %s: query 5"
                            .formatted(folder.resolve("hard-negatives.jsonl"))),
                    source.notices());
            assertEquals(NAMES, source.files().stream().map(DataFile::name).toList());
        }
    }

    @Test
    void filesMayBeCompressed() throws IOException {
        Path golden = Goldens.file("data");
        Path packed = Files.createDirectory(folder.resolve("packed"));
        for (String name : NAMES) {
            try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed.resolve(name + ".gz")))) {
                Files.copy(golden.resolve(name), out);
            }
        }
        try (TripleSource plain = TrainingData.open(golden, DataForm.MSMARCO, DataOptions.DEFAULT);
                TripleSource source = TrainingData.open(packed, DataForm.MSMARCO, DataOptions.DEFAULT)) {
            assertEquals(plain.files(), source.files());
            assertEquals(plain.notices(), source.notices());
            assertEquals(6, source.rows());
            for (int row = 0; row < 6; row++) {
                assertEquals(plain.row(row, 4), source.row(row, 4));
            }
        }
    }

    @Test
    void queriesWithoutRowsAreTold() throws IOException {
        try (TripleSource source = TrainingData.open(Goldens.file("data"), DataForm.MSMARCO, DataOptions.DEFAULT)) {
            assertEquals(
                    List.of(
                            "queries left out without a positive: 1",
                            "queries left out without enough negatives, 1: 1"),
                    source.notices());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "collection.tsv|1 one|collection.tsv: line 1: expected an id and a text separated by a tab, got no tab",
                "collection.tsv|1@one@|collection.tsv: line 1: expected an id and a text separated by a tab, got more tabs",
                "collection.tsv|x@one|collection.tsv: line 1: expected a number below 2^31 as an id, got \"x\"",
                "collection.tsv|4294967297@one|collection.tsv: line 1: expected a number below 2^31 as an id, got \"4294967297\"",
                "collection.tsv|1@ |collection.tsv: line 1: expected a text, got an empty one",
                "collection.tsv|1@a#1@b|collection.tsv: line 2: expected id 1 once, got it twice",
                "collection.tsv|2@a#1@b#2@c|collection.tsv: line 3: expected id 2 once, got it twice",
                "collection.tsv|1@a#3@b#7@c|hard-negatives.jsonl: query 5: expected the id of a line of collection.tsv, got 9",
                "collection.tsv||collection.tsv: expected lines, found none",
                "queries.train.tsv|2@a|hard-negatives.jsonl: query 5: expected the id of a line of queries.train.tsv, got 5",
                "hard-negatives.jsonl|[]|hard-negatives.jsonl: line 1: expected an object, got an array",
                "hard-negatives.jsonl|{\"qid\": 2, \"pos\": [1]}|hard-negatives.jsonl: line 1: expected \"neg\", found none",
                "hard-negatives.jsonl|{\"qid\": 2, \"pos\": [1], \"neg\": []}|hard-negatives.jsonl: line 1: \"neg\": expected an object, got an array",
                "hard-negatives.jsonl|{\"qid\": 2, \"pos\": [1], \"neg\": {\"a\": 3}}|hard-negatives.jsonl: line 1: \"a\": expected an array of ids, got a number",
                "hard-negatives.jsonl|{\"qid\": 2, \"pos\": [1.5], \"neg\": {}}|hard-negatives.jsonl: line 1: \"pos\": expected a number below 2^31 as an id, got \"1.5\"",
                "hard-negatives.jsonl|{\"qid\": \"2\", \"pos\": [1], \"neg\": {}}|hard-negatives.jsonl: line 1: \"qid\": expected a number below 2^31 as an id, got a string",
                "hard-negatives.jsonl|{\"qid\": 2, \"pos\": [1], \"neg\": {}}#{\"qid\": 2, \"pos\": [1], \"neg\": {}}|hard-negatives.jsonl: line 2: expected query 2 once, got it twice",
                "hard-negatives.jsonl|{\"qid\": 2, \"pos\": [3], \"neg\": {\"a\": [4]}}|ce-scores.jsonl: line 3: expected a score of passage 4 for query 2, found none",
                "hard-negatives.jsonl|{\"qid\": 2, \"pos\": [3], \"neg\": {}}|hard-negatives.jsonl: expected queries with a positive and enough negatives, 1, found none",
                "ce-scores.jsonl|{\"qid\": 5, \"scores\": {\"7\": 5.0, \"1\": 1, \"3\": 4.0, \"9\": 2.0}}|ce-scores.jsonl: expected the scores of query 2 of hard-negatives.jsonl, found none",
                "ce-scores.jsonl|{\"qid\": 5, \"scores\": {\"7\": \"5\"}}|ce-scores.jsonl: line 1: \"7\": expected a finite score, got a string",
                "ce-scores.jsonl|{\"qid\": 5, \"scores\": {\"7\": 1e999}}|ce-scores.jsonl: line 1: \"7\": expected a finite score, got a number",
                "ce-scores.jsonl|{\"qid\": 5, \"scores\": {\"7\": 1, \"07\": 2}}|ce-scores.jsonl: line 1: expected passage 7 once, got it twice",
                "ce-scores.jsonl|{\"qid\": 5, \"scores\": {\"7\": 1, \"7\": 2}}|ce-scores.jsonl: line 1: not valid JSON at column 34: expected key 7 once, got it twice",
                "ce-scores.jsonl|{\"qid\": 5, \"scores\": [1]}|ce-scores.jsonl: line 1: \"scores\": expected an object, got an array"
            })
    void brokenFilesAreErrors(String name, String text, String problem) throws IOException {
        String content = text == null ? "" : text.replace('@', '\t').replace('#', '\n');
        Files.writeString(folder.resolve(name), content);
        assertEquals(problem, failure());
    }

    @Test
    void scoresOfAQueryComeOnce() throws IOException {
        Path scores = folder.resolve("ce-scores.jsonl");
        Files.writeString(
                scores, Files.readString(scores) + Files.readAllLines(scores).getFirst() + "\n");
        assertEquals("ce-scores.jsonl: line 4: expected query 5 once, got it twice", failure());
    }

    @Test
    void missingFilesAreErrors() throws IOException {
        Files.delete(folder.resolve("ce-scores.jsonl"));
        assertEquals("folder: expected ce-scores.jsonl or ce-scores.jsonl.gz in the folder, found neither", failure());
        Path file = folder.resolve("collection.tsv");
        assertEquals(
                file + ": expected a folder, got a file",
                assertThrows(
                                FormatException.class,
                                () -> TrainingData.open(file, DataForm.MSMARCO, DataOptions.DEFAULT))
                        .getMessage());
    }
}
