package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sgpt index`, and `sgpt search` in the index that it built.
class IndexCommandTest {
    private static final String CORPUS = """
            {"_id": "s", "title": "arachnophobia", "text": "a morbid fear of spiders"}
            {"_id": "t", "title": "thermometer", "text": "an instrument for measuring temperature"}
            {"_id": "b", "title": "bakery", "text": "a place where bread is made"}
            """;

    @TempDir
    private Path folder;

    private Path corpus;
    private String index;

    @BeforeEach
    void writeCorpus() throws IOException {
        corpus = Files.writeString(folder.resolve("corpus.jsonl"), CORPUS);
        index = folder.resolve("index").toString();
    }

    private Cli.Result index(String... options) {
        List<String> arguments = new ArrayList<>(List.of("index", "--corpus", corpus.toString(), "--index", index));
        arguments.addAll(List.of(options));
        return Cli.run(arguments.toArray(String[]::new));
    }

    private List<JsonNode> search(String... options) {
        List<String> arguments = new ArrayList<>(List.of("search", "--index", index, "--format", "jsonl"));
        arguments.addAll(List.of(options));
        return Cli.run(arguments.toArray(String[]::new)).lines();
    }

    @Test
    void saysOnStderrWhatWasDone() throws IOException {
        Cli.Result first = index();
        assertEquals(0, first.code(), first.err());
        assertEquals("", first.text());
        assertTrue(
                first.err()
                        .matches(
                                "sgpt: 3 documents read in [0-9.]+ s: 3 added, 0 replaced, 0 unchanged, 0 removed;"
                                        + " 3 texts embedded \\([0-9]+/s\\), 0 of them cut; \\S+ has 3 documents in 3 passages\n"),
                first.err());
        Files.writeString(
                corpus, CORPUS.replace("bread", "cake").lines().skip(1).reduce("", (a, b) -> a + b + "\n"));
        assertTrue(index("--remove-missing", "--optimize")
                .err()
                .contains(": 0 added, 1 replaced, 1 unchanged, 1 removed"));
        assertEquals("", index("--quiet").err());
        assertEquals(2, search("cake").size());
    }

    @Test
    void anIndexRemembersPrompts() {
        String[] prompts = {"--prompt-query", "find: ", "--prompt-document", "found: "};
        assertEquals(0, index(prompts).code());
        List<String> found = new ArrayList<>(List.of("search", "--index", index, "spiders"));
        assertTrue(Cli.run(found.toArray(String[]::new)).failure(1).contains(index));
        found.addAll(List.of(prompts));
        assertEquals(0, Cli.run(found.toArray(String[]::new)).code());
    }

    @Test
    void findsAsTheSearchInMemoryDoes() {
        index();
        for (String query : List.of("fear of spiders", "bread")) {
            List<JsonNode> memory = Cli.run("search", "--corpus", corpus.toString(), "--format", "jsonl", query)
                    .lines();
            for (List<JsonNode> found : List.of(search(query), search("--exact", query))) {
                assertEquals(3, found.size());
                for (int i = 0; i < 3; i++) {
                    assertEquals(memory.get(i).get("id"), found.get(i).get("id"));
                    assertEquals(memory.get(i).get("title"), found.get(i).get("title"));
                    assertEquals(
                            memory.get(i).get("score").asDouble(),
                            found.get(i).get("score").asDouble(),
                            1e-5);
                }
            }
        }
    }

    @Test
    void searchesByWordsOrBoth() {
        index("--int8");
        List<JsonNode> words = search("--mode", "bm25", "Breads");
        assertEquals(1, words.size());
        assertEquals("b", words.getFirst().get("id").asText());
        List<String> fields = new ArrayList<>();
        words.getFirst().fieldNames().forEachRemaining(fields::add);
        assertEquals(List.of("query", "rank", "id", "title", "text", "score"), fields);
        List<JsonNode> both = search("--mode", "hybrid", "bread");
        assertEquals("b", both.getFirst().get("id").asText());
        assertEquals(1, both.getFirst().get("score").asDouble(), 1e-6);
        assertTrue(both.getFirst().has("bm25"));
        assertTrue(both.getLast().has("cosine"));
        assertFalse(both.getLast().has("bm25"));
    }

    @Test
    void reRanksWhatWordsFound() {
        index();
        List<JsonNode> found = search("--mode", "bm25", "--rerank", "2", "--force", "--quiet", "a place for spiders");
        assertEquals(2, found.size());
        assertTrue(found.getFirst().get("rerank_score").asDouble()
                >= found.getLast().get("rerank_score").asDouble());
    }

    @Test
    void readsQueriesFromAFile() throws IOException {
        index();
        Path queries = Files.writeString(
                folder.resolve("queries.jsonl"), "{\"_id\": \"1\", \"text\": \"bread\"}\n{\"text\": \"heat\"}\n");
        List<JsonNode> found = search("-k", "1", "-i", queries.toString());
        assertEquals(
                List.of("bread", "heat"),
                found.stream().map(line -> line.get("query").asText()).toList());
        assertEquals(
                Cli.run("search", "--index", index, "bread", "heat").text(),
                Cli.runWithInput("bread\nheat\n", "search", "--index", index).text());
    }

    @Test
    void refusesAnotherModelByName() {
        index();
        String message = Cli.run("search", "--index", index, "-m", Cli.model("gptneo-be"), "bread")
                .failure(1);
        assertTrue(message.startsWith(index + ": this index was made with model nano-specb-"), message);
        assertTrue(message.contains("cannot be used with model gptneo-be"), message);
        message = Cli.run("index", "--corpus", corpus.toString(), "--index", index, "-m", Cli.model("gptneo-be"))
                .failure(1);
        assertTrue(message.contains("cannot be used with model gptneo-be"), message);
    }

    @Test
    void tellsWrongUsageFromFailures() {
        assertTrue(Cli.run("index", "--corpus", corpus.toString()).failure(2).contains("--index"));
        assertTrue(Cli.run("search", "--exact", "q").failure(2).contains("--exact needs an index"));
        assertTrue(Cli.run("search", "--index", index, "--corpus", corpus.toString(), "q")
                .failure(2)
                .contains("got both"));
        assertTrue(index("--connections", "1").failure(2).contains("connections: expected 2 to 512, got 1"));
        assertEquals(
                index + ": expected the directory of an index, found nothing",
                Cli.run("search", "--index", index, "q").failure(1));
        assertTrue(
                Cli.run("index", "--corpus", index, "--index", index).failure(1).contains("expected a directory"));
    }

    @Test
    void aFolderOfShardsIsSearchedAndMerged() throws IOException {
        Path shards = folder.resolve("shards");
        String[] lines = CORPUS.lines().toArray(String[]::new);
        for (int i = 0; i < lines.length; i++) {
            Path part = Files.writeString(folder.resolve("part.jsonl"), lines[i]);
            String to = shards.resolve("part-0000" + i).toString();
            assertEquals(
                    0,
                    Cli.run("index", "--corpus", part.toString(), "--index", to).code());
        }
        assertTrue(Cli.run("search", "--index", shards.toString(), "spiders")
                .failure(1)
                .contains("expected a finished folder of shards"));
        Files.writeString(shards.resolve("_SUCCESS"), "{\"format\":1,\"shards\":3,\"documents\":3}");
        String merged = index;
        index = shards.toString();
        List<JsonNode> found = search("what is made of flour", "--mode", "hybrid");
        assertEquals(3, found.size());
        Cli.Result merge = Cli.run("index", "--merge", index, "--index", merged);
        assertTrue(merge.err().matches("sgpt: \\S+ merged in [0-9.]+ s; \\S+ has 3 documents\n"), merge.err());
        index = merged;
        assertEquals(found, search("what is made of flour", "--mode", "hybrid"));
        assertEquals(0, index().code());
    }

    @Test
    void mergingTakesNoOptionsOfIndexing() {
        assertEquals(
                "expected either --corpus or --merge, got none (see sgpt index --help)",
                Cli.run("index", "--index", index).failure(2));
        assertEquals(
                2,
                Cli.run("index", "--index", index, "--merge", index, "--corpus", index)
                        .code());
        assertTrue(Cli.run("index", "--index", index, "--merge", index, "--int8")
                .err()
                .contains("--int8 has no effect with --merge"));
    }

    @Test
    void equalDocumentsHideNoOthers() throws IOException {
        Files.writeString(corpus, "aaaa\n".repeat(300) + "a morbid fear of spiders\n");
        Path lines = Files.move(corpus, folder.resolve("lines.txt"));
        assertEquals(
                0,
                Cli.run("index", "--corpus", lines.toString(), "--index", index).code());
        for (String mode : List.of("dense", "hybrid")) {
            assertEquals(
                    "301",
                    search("--mode", mode, "-k", "3", "fear of spiders")
                            .getFirst()
                            .get("id")
                            .asText());
        }
    }
}
