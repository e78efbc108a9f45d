package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.output.ResultTable;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.passage.Passage;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PassageCommandsTest {
    private static final String FILLER = "A new bridge will be built across the river. Trains are late in winter. ";
    private static final String FACT = "Spiders spin webs and have eight legs.";
    private static final String TEXT = FILLER.repeat(10) + "\uD83D\uDD77 " + FACT + " " + FILLER;

    @TempDir
    Path folder;

    private String corpus;
    private String index;

    @BeforeEach
    void writeCorpus() throws IOException {
        Path file = folder.resolve("corpus.jsonl");
        Files.writeString(file, """
                {"_id": "long", "title": "Report", "text": "%s"}
                {"_id": "short", "text": "Bread is made of flour."}
                """.formatted(TEXT));
        corpus = file.toString();
        index = folder.resolve("index").toString();
    }

    private Cli.Result index(String tokens) {
        return Cli.run("index", "--corpus", corpus, "--index", index, "--passage-tokens", tokens);
    }

    @Test
    void indexTellsPassagesAndResultsShowTheOneThatMatched() {
        Cli.Result made = index("48");
        assertEquals(0, made.code(), made.err());
        assertTrue(
                made.err().matches("(?s).*, 0 of them cut; \\S+ has 2 documents in ([3-9]|1\\d) passages\n"),
                made.err());
        for (String mode : List.of("dense", "bm25", "hybrid")) {
            shown(Cli.run(
                    "search", "--index", index, "--mode", mode, "--format", "jsonl", "how many legs have spiders"));
            String table = Cli.run("search", "--index", index, "--mode", mode, "how many legs have spiders")
                    .text();
            assertTrue(table.contains("…") && table.contains("eight legs"), table);
            assertFalse(table.contains("\u001b"), table);
        }
        shown(Cli.run(
                "search",
                "--corpus",
                corpus,
                "--passage-tokens",
                "48",
                "--format",
                "jsonl",
                "how many legs have spiders"));
        List<JsonNode> whole = Cli.run(
                        "search", "--corpus", corpus, "--passage-tokens", "off", "--format", "jsonl", "bread")
                .lines();
        assertTrue(whole.stream().noneMatch(line -> line.has("passage")));
    }

    private static void shown(Cli.Result result) {
        assertEquals(0, result.code(), result.err());
        JsonNode first = result.lines().getFirst();
        assertEquals("long", first.get("id").asText());
        JsonNode passage = first.get("passage");
        String text = first.get("text").asText();
        int[] points = text.codePoints().toArray();
        int start = passage.get("start").asInt();
        assertEquals(
                passage.get("text").asText(),
                new String(points, start, passage.get("end").asInt() - start));
        assertTrue(passage.get("text").asText().contains(FACT), passage::toString);
    }

    @Test
    void anIndexKeepsItsPassages() {
        assertEquals(0, index("48").code());
        Cli.Result again = Cli.run("index", "--corpus", corpus, "--index", index);
        assertEquals(0, again.code(), again.err());
        assertTrue(again.err().contains("2 unchanged, 0 removed; 0 texts embedded"), again.err());
        assertEquals(0, index("48").code());
        Cli.Result other = index("off");
        assertEquals(1, other.code());
        assertTrue(
                other.err().contains("passages of 48 tokens, overlapping by 6, and cannot be changed to")
                        && other.err().contains("no passages; leave these options out"),
                other.err());
        Cli.Result tooLong = Cli.run(
                "index", "--corpus", corpus, "--index", folder.resolve("new").toString(), "--passage-tokens", "300");
        assertEquals(2, tooLong.code());
        assertTrue(tooLong.err().contains("at most 256, which the model reads of a document, got 300"), tooLong.err());
        assertFalse(Files.exists(folder.resolve("new")));
        assertEquals(2, index("many").code());
        assertTrue(index("many").err().contains("expected a number of tokens or off, got \"many\""));
    }

    @Test
    void anEvaluationMaySplitDocuments() throws IOException {
        Path data = Files.createDirectories(folder.resolve("data/qrels")).getParent();
        Files.copy(Path.of(corpus), data.resolve("corpus.jsonl"));
        Files.writeString(
                data.resolve("queries.jsonl"), "{\"_id\": \"q\", \"text\": \"how many legs have spiders\"}\n");
        Files.writeString(data.resolve("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq\tlong\t1\n");
        Cli.Result split =
                Cli.run("eval", "--data", data.toString(), "--no-cache", "--passages", "48", "--format", "json");
        assertEquals(0, split.code(), split.err());
        assertTrue(split.err().matches("(?s).*2 documents in ([5-9]|1\\d) passages.*"), split.err());
        JsonNode report = Cli.parse(split.text().replace("\n", " "));
        assertEquals(48, report.get("passages").get("tokens").asInt());
        Cli.Result whole = Cli.run("eval", "--data", data.toString(), "--no-cache", "--passages");
        assertEquals(0, whole.code(), whole.err());
        Cli.Result words = Cli.run("eval", "--data", data.toString(), "--mode", "bm25", "--passages");
        assertEquals(2, words.code());
        assertTrue(words.err().contains("--passages has no effect with --mode bm25"), words.err());
    }

    @Test
    void aTableMarksTheWordsOfTheQueryThatFit() {
        Document document = Document.of("1", TEXT);
        int start = FILLER.length() * 9;
        Hit hit = new Hit(
                document,
                0.5f,
                Optional.of(0.5f),
                Optional.empty(),
                Optional.empty(),
                Passage.of(TEXT, new TextRange(start, TEXT.length())));
        String plain = new ResultTable(80).render("spider's leg", List.of(hit));
        String bold = new ResultTable(80, true).render("spider's leg", List.of(hit));
        assertTrue(bold.contains("\u001b[1mSpiders\u001b[22m spin webs and have eight \u001b[1mlegs\u001b[22m"), bold);
        assertEquals(plain, bold.replaceAll("\u001b\\[[0-9]+m", ""));
        assertTrue(plain.lines().allMatch(line -> line.codePointCount(0, line.length()) <= 80), plain);
    }

    @Test
    void boldTypeIsForTerminalsThatWantIt() {
        assertTrue(console(true, Map.of()).colours());
        assertFalse(console(false, Map.of()).colours());
        assertFalse(console(true, Map.of("NO_COLOR", "1")).colours());
        assertFalse(console(true, Map.of("TERM", "dumb")).colours());
    }

    private static Console console(boolean terminal, Map<String, String> environment) {
        OutputStream none = OutputStream.nullOutputStream();
        return new Console(
                new ByteArrayInputStream(new byte[0]), none, new PrintStream(none), 80, terminal, environment);
    }
}
