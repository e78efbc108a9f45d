package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchCommandTest {
    private static final String CORPUS = """
            {"_id": "s", "title": "arachnophobia", "text": "a morbid fear of spiders"}
            {"_id": "t", "title": "thermometer", "text": "an instrument for measuring temperature"}
            {"_id": "b", "title": "bakery", "text": "a place where bread is made"}
            """;

    @TempDir
    Path folder;

    private String corpus;

    @BeforeEach
    void writeCorpus() throws IOException {
        Path file = folder.resolve("corpus.jsonl");
        Files.writeString(file, CORPUS);
        corpus = file.toString();
    }

    @Test
    void writesEveryFieldPerDocumentFound() {
        List<JsonNode> lines = Cli.run(
                        "search",
                        "--corpus",
                        corpus,
                        "--mode",
                        "dense",
                        "--format",
                        "jsonl",
                        "-k",
                        "2",
                        "fear of spiders")
                .lines();
        assertEquals(2, lines.size());
        JsonNode first = lines.getFirst();
        List<String> fields = new ArrayList<>();
        first.fieldNames().forEachRemaining(fields::add);
        assertEquals(List.of("query", "rank", "id", "title", "text", "score"), fields);
        assertEquals("s", first.get("id").asText());
        assertEquals("a morbid fear of spiders", first.get("text").asText());
        assertEquals(2, lines.get(1).get("rank").asInt());
    }

    /// The user's documents are searched by words too with the built-in model; the demo corpus, and other models, by
    /// meaning alone.
    @Test
    void theUsualModeDependsOnTheModelAndTheDocuments() {
        String[] rest = {"--format", "jsonl", "-k", "1", "fear of spiders"};
        assertTrue(Cli.run(with(rest, "search", "--corpus", corpus))
                .lines()
                .getFirst()
                .has("bm25"));
        assertFalse(Cli.run(with(rest, "search")).lines().getFirst().has("bm25"));
        assertFalse(Cli.run(with(rest, "search", "--corpus", corpus, "-m", Cli.model("gptneo-be")))
                .lines()
                .getFirst()
                .has("bm25"));
    }

    private static String[] with(String[] rest, String... first) {
        return Stream.concat(Stream.of(first), Stream.of(rest)).toArray(String[]::new);
    }

    @Test
    void theBuiltInModelDoesNotReRankUnlessForced() {
        Cli.Result kept = Cli.run("search", "--corpus", corpus, "--format", "jsonl", "--rerank", "bread");
        assertTrue(kept.lines().stream().noneMatch(line -> line.has("rerank_score")));
        assertTrue(kept.err().startsWith("sgpt: not re-ranked: "), kept.err());
        String line = Cli.run("search", "-m", Cli.model("gptneo-be"), "--corpus", corpus, "--rerank", "--force", "x")
                .failure(2);
        assertTrue(line.contains("--force has no effect"), line);
    }

    /// One model finds, another re-orders.
    @Test
    void anotherModelMayReRank() {
        String ranker = Path.of("../engine/src/test/resources/goldens-decoders/models/qwen3-rr-st")
                .toString();
        List<JsonNode> lines = Cli.run(
                        "search",
                        "--corpus",
                        corpus,
                        "--format",
                        "jsonl",
                        "--rerank",
                        "3",
                        "--rerank-model",
                        ranker,
                        "bread")
                .lines();
        Map<String, Double> scores = new HashMap<>();
        for (JsonNode score : Cli.run(
                        "score",
                        "-m",
                        ranker,
                        "--query",
                        "bread",
                        lines.get(0).get("title").asText() + " "
                                + lines.get(0).get("text").asText(),
                        lines.get(1).get("title").asText() + " "
                                + lines.get(1).get("text").asText())
                .lines()) {
            scores.put(score.get("document").asText(), score.get("score").asDouble());
        }
        for (JsonNode line : lines.subList(0, 2)) {
            String text = line.get("title").asText() + " " + line.get("text").asText();
            assertEquals(
                    scores.getOrDefault(text, 0.0), line.get("rerank_score").asDouble(), 1e-6);
        }
    }

    @Test
    void showsATableThatFitsOnATerminal() {
        Cli.Result result = Cli.run("search", "--corpus", corpus, "fear of spiders", "measuring heat");
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        List<String> lines = result.text().lines().toList();
        assertEquals("fear of spiders", lines.getFirst());
        assertTrue(lines.get(2).matches(" *1 +[01]\\.\\d{4} +arachnophobia +a morbid fear of spiders"), lines.get(2));
        assertTrue(lines.contains("measuring heat"));
        assertTrue(lines.stream().allMatch(line -> line.length() <= 120));
    }

    @Test
    void readsQueriesFromStdin() {
        String arguments = Cli.run("search", "--corpus", corpus, "fear of spiders", "bread")
                .text();
        assertEquals(
                arguments,
                Cli.runWithInput("fear of spiders\nbread\n", "search", "--corpus", corpus)
                        .text());
    }

    @Test
    void tellsACountBehindRerankFromAQuery() {
        for (String[] form : new String[][] {
            {"--rerank", "bread"}, {"--rerank", "2", "bread"}, {"--rerank=2", "bread"}, {"bread", "--rerank"}
        }) {
            List<String> arguments =
                    new ArrayList<>(List.of("search", "--corpus", corpus, "--force", "--format", "jsonl"));
            arguments.addAll(List.of(form));
            List<JsonNode> lines = Cli.run(arguments.toArray(String[]::new)).lines();
            assertEquals(3, lines.size());
            assertEquals("bread", lines.getFirst().get("query").asText());
            boolean two = String.join(" ", form).contains("2");
            assertTrue(lines.get(1).has("rerank_score"));
            assertEquals(!two, lines.get(2).has("rerank_score"), String.join(" ", form));
            assertTrue(lines.get(0).get("rerank_score").asDouble()
                    >= lines.get(1).get("rerank_score").asDouble());
        }
    }

    @Test
    void saysNothingAboutTheBuiltInModelWhenQuietOrAnotherModelIsUsed() {
        assertEquals(
                "",
                Cli.run("search", "--corpus", corpus, "--quiet", "--rerank", "bread")
                        .err());
        assertEquals(
                "",
                Cli.run("search", "-m", Cli.model("gptneo-ce"), "--corpus", corpus, "--rerank", "bread")
                        .err());
    }

    @Test
    void readsADirectoryInBeirsLayoutOrOfFiles() throws IOException {
        String expected = Cli.run("search", "--corpus", corpus, "--format", "jsonl", "bread")
                .text();
        assertEquals(
                expected,
                Cli.run("search", "--corpus", folder.toString(), "--format", "jsonl", "bread")
                        .text());
        Path texts = Files.createDirectory(folder.resolve("texts"));
        Files.writeString(texts.resolve("b.txt"), "a place where\nbread is made");
        Files.writeString(texts.resolve("a.txt"), "an instrument for measuring temperature");
        Files.writeString(texts.resolve("notes.png"), "bread");
        List<JsonNode> lines = Cli.run("search", "--corpus", texts.toString(), "--format", "jsonl", "bread")
                .lines();
        assertEquals(2, lines.size());
        assertEquals("b.txt", lines.getFirst().get("id").asText());
        assertEquals(
                "a place where\nbread is made", lines.getFirst().get("text").asText());
        assertFalse(lines.getFirst().has("title"));
    }

    @Test
    void findsNoTextsWithoutTokensByMeaningAsInAnIndex() throws IOException {
        Path file = folder.resolve("empty.txt");
        Files.writeString(file, "\nbread\n");
        List<JsonNode> lines = Cli.run(
                        "search",
                        "-m",
                        Cli.model("gptneo-be"),
                        "--corpus",
                        file.toString(),
                        "--format",
                        "jsonl",
                        "flour")
                .lines();
        assertEquals(List.of("2"), lines.stream().map(l -> l.get("id").asText()).toList());
        String line = Cli.run("search", "-m", Cli.model("gptneo-be"), "--corpus", file.toString(), "")
                .failure(2);
        assertTrue(line.contains("expected a query, got an empty one"), line);
    }

    /// The second search of a corpus adds no vectors to those that the first one kept.
    @Test
    void keepsTheVectorsOfACorpus() throws IOException {
        Map<String, String> environment =
                Map.of("XDG_CACHE_HOME", folder.resolve("cache").toString());
        String[] search = {"search", "--corpus", corpus, "--format", "jsonl", "fear of spiders"};
        Cli.Result first = Cli.runWithEnvironment(environment, search);
        assertEquals(0, first.code(), first.err());
        Map<String, Long> kept = sizes(folder.resolve("cache"));
        assertFalse(kept.isEmpty());
        Cli.Result second = Cli.runWithEnvironment(environment, search);
        assertEquals(first.text(), second.text());
        assertEquals(kept, sizes(folder.resolve("cache")));
        Cli.Result other = Cli.runWithEnvironment(
                Map.of("XDG_CACHE_HOME", folder.resolve("none").toString()), with(new String[] {"--no-cache"}, search));
        assertEquals(first.text(), other.text());
        assertFalse(Files.exists(folder.resolve("none/sgpt4j/search")));
    }

    private static Map<String, Long> sizes(Path folder) throws IOException {
        Map<String, Long> sizes = new HashMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                sizes.put(file.toString(), Files.size(file));
            }
        }
        return sizes;
    }
}
