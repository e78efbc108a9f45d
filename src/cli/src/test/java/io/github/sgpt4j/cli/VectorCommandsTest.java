package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `similarity`, `pairs` and `cluster`.
class VectorCommandsTest {
    private static final List<String> TEXTS = List.of(
            "a morbid fear of spiders",
            "fear of spiders",
            "a place where bread is made",
            "a bakery, where bread is baked",
            "an abnormal fear of spiders",
            "the sea at night");

    @TempDir
    Path folder;

    private String texts;
    private String matrix;

    @BeforeEach
    void write() throws IOException {
        texts = Files.writeString(folder.resolve("texts.txt"), String.join("\n", TEXTS) + "\n")
                .toString();
        matrix = folder.resolve("texts.npy").toString();
        assertEquals(0, Cli.run("embed", "-i", texts, "-o", matrix).code());
    }

    private static float[][] scores() throws IOException {
        try (BiEncoder encoder = NanoModel.open()) {
            float[][] vectors = encoder.embed(TEXTS);
            return encoder.similarities(vectors, vectors);
        }
    }

    private static void assertClose(double expected, JsonNode actual) {
        assertEquals(expected, actual.doubleValue(), 1e-5);
    }

    @Test
    void similarityComparesAllWithAll() throws IOException {
        float[][] expected = scores();
        for (String file : List.of(texts, matrix)) {
            List<JsonNode> lines =
                    Cli.run("similarity", texts, file, "--format", "jsonl").lines();
            assertEquals(TEXTS.size(), lines.size());
            for (int i = 0; i < expected.length; i++) {
                assertEquals(Integer.toString(i + 1), lines.get(i).get("id").textValue());
                assertEquals(TEXTS.get(i), lines.get(i).get("text").textValue());
                for (int j = 0; j < expected.length; j++) {
                    assertClose(expected[i][j], lines.get(i).get("scores").get(j));
                }
            }
        }
        List<String> table = Cli.run("similarity", texts, texts).text().lines().toList();
        assertEquals(TEXTS.size() + 1, table.size());
        assertTrue(table.get(1).matches("1 +1\\.0000 .*"), table.get(1));
    }

    @Test
    void similarityFindsTheNearestAndComparesInPairs() throws IOException {
        float[][] expected = scores();
        List<JsonNode> nearest = Cli.run("similarity", texts, texts, "-k", "2", "--format", "jsonl")
                .lines();
        assertEquals("1", nearest.getFirst().at("/nearest/0/id").textValue());
        int second = expected[0][1] > expected[0][4] ? 1 : 4;
        assertEquals(
                Integer.toString(second + 1),
                nearest.getFirst().at("/nearest/1/id").textValue());
        assertClose(expected[0][second], nearest.getFirst().at("/nearest/1/score"));
        assertEquals(2, nearest.getFirst().get("nearest").size());
        String table = Cli.run("similarity", texts, texts, "-k", "1").text();
        assertTrue(table.startsWith("1  a morbid fear of spiders\n   1.0000  1  a morbid"), table);
        Path reversed = Files.writeString(folder.resolve("reversed.txt"), String.join("\n", TEXTS.reversed()) + "\n");
        List<JsonNode> pairs = Cli.run("similarity", texts, reversed.toString(), "--pairwise", "--format", "jsonl")
                .lines();
        for (int i = 0; i < expected.length; i++) {
            assertClose(expected[i][expected.length - 1 - i], pairs.get(i).get("score"));
            assertEquals(
                    TEXTS.reversed().get(i), pairs.get(i).at("/second/text").textValue());
        }
        Path one = Files.writeString(folder.resolve("one.txt"), "x\n");
        assertTrue(Cli.run("similarity", texts, one.toString(), "--pairwise")
                .failure(1)
                .contains("expected 6 texts"));
    }

    @Test
    void similarityFollowsTheFunctionThatIsAskedFor() throws IOException {
        try (BiEncoder encoder = NanoModel.open()) {
            float[][] vectors = encoder.embed(TEXTS);
            JsonNode scores = Cli.run("similarity", matrix, matrix, "--similarity", "euclidean", "--format", "jsonl")
                    .lines()
                    .getFirst()
                    .get("scores");
            assertClose(io.github.sgpt4j.Similarity.EUCLIDEAN.of(vectors[0], vectors[2]), scores.get(2));
        }
    }

    @Test
    void pairsAreTheMostSimilarOnes() throws IOException {
        float[][] expected = scores();
        for (String file : List.of(texts, matrix)) {
            List<JsonNode> lines =
                    Cli.run("pairs", file, "-k", "3", "--format", "jsonl").lines();
            List<String> found = new ArrayList<>();
            for (JsonNode line : lines) {
                int first = Integer.parseInt(line.at("/first/id").textValue()) - 1;
                int second = Integer.parseInt(line.at("/second/id").textValue()) - 1;
                assertClose(expected[first][second], line.get("score"));
                assertEquals(file.equals(texts), line.get("first").has("text"));
                found.add(first + " " + second);
            }
            assertEquals(3, found.size());
            assertTrue(found.containsAll(List.of("0 4", "0 1")), found.toString());
        }
        Cli.Result few = Cli.run("pairs", texts, "-k", "1", "--min-score", "0.3");
        assertEquals(2, few.text().lines().count());
        assertTrue(few.err().contains("-k writes more"), few.err());
        assertEquals(
                "nothing found\n", Cli.run("pairs", texts, "--min-score", "1.5").text());
        Path file = folder.resolve("pairs.jsonl");
        assertEquals(
                0,
                Cli.run("pairs", texts, "--top-k", "1", "-o", file.toString()).code());
        assertTrue(Files.readAllLines(file).size() < 15);
        assertTrue(Files.readString(file).startsWith("{\"rank\":1,"));
    }

    @Test
    void clustersHoldSimilarTexts() {
        List<JsonNode> lines = Cli.run(
                        "cluster", texts, "--threshold", "0.5", "--min-size", "2", "--format", "jsonl", "--quiet")
                .lines();
        assertEquals(2, lines.size());
        List<String> first = new ArrayList<>();
        lines.getFirst()
                .get("members")
                .forEach(member -> first.add(member.get("id").textValue()));
        assertEquals(List.of("1", "2", "5"), first.stream().sorted().toList());
        assertEquals(lines.getFirst().get("centre").textValue(), first.getFirst());
        assertEquals(2, lines.get(1).get("size").intValue());
        Cli.Result table = Cli.run("cluster", matrix, "--threshold", "0.5", "--min-size", "2");
        assertTrue(table.text().startsWith("cluster 1: 3 texts\n   1.0000  "), table.text());
        assertTrue(table.err().contains("5 of 6 texts in 2 clusters"), table.err());
        assertEquals(
                "nothing found\n",
                Cli.run("cluster", matrix, "--threshold", "1").text());
    }

    @Test
    void vectorsNeedNoModel() {
        Cli.Result result =
                Cli.run("pairs", matrix, "-m", folder.resolve("none").toString(), "-k", "1");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.err().contains("needs no model"), result.err());
        assertEquals(2, Cli.run("pairs", matrix, "--as", "query").code());
        assertEquals(2, Cli.run("cluster", matrix, "--dimensions", "8").code());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pairs",
                "pairs a.txt b.txt",
                "pairs a.csv",
                "pairs a.txt --min-score NaN",
                "pairs a.txt --min-score high",
                "pairs a.txt -k 0",
                "pairs a.txt -o pairs.csv",
                "pairs a.txt --as query,document",
                "pairs a.txt --prompt-query x",
                "pairs a.txt --specb",
                "pairs a.txt --similarity angular",
                "cluster a.txt --threshold 1.5",
                "cluster a.txt --min-size 0",
                "similarity a.txt",
                "similarity a.txt b.txt c.txt",
                "similarity - -",
                "similarity a.txt b.txt -k 3 --pairwise"
            })
    void wrongUsageIsToldApart(String line) {
        Cli.Result result = Cli.run(line.split(" "));
        assertEquals(2, result.code(), result.err());
    }

    @Test
    void badFilesAreOneSentence() throws IOException {
        Path none = Files.writeString(folder.resolve("none.txt"), "");
        assertTrue(Cli.run("pairs", none.toString()).failure(1).contains("expected texts"));
        Path narrow = folder.resolve("narrow.npy");
        assertEquals(
                0,
                Cli.run("embed", "--dimensions", "8", "-o", narrow.toString(), "x")
                        .code());
        assertTrue(Cli.run("similarity", matrix, narrow.toString()).failure(1).contains("expected embeddings of 256"));
        Files.writeString(folder.resolve("texts.npy.ids"), "one\n");
        assertTrue(Cli.run("pairs", matrix).failure(1).contains("expected 6 ids"));
        assertFalse(Cli.run("pairs", folder.resolve("absent.npy").toString())
                .failure(1)
                .isEmpty());
        String many = "x\n".repeat(101);
        Path wide = Files.writeString(folder.resolve("wide.txt"), many);
        assertTrue(Cli.run("similarity", texts, wide.toString()).failure(1).contains("-k N"));
    }
}
