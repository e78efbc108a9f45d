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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Re-rankers in the verbs that use them.
class RerankerCommandsTest {
    private static final Path GOLDENS = Path.of("../engine/src/test/resources/goldens-decoders/models");
    private static final String STATED = GOLDENS.resolve("qwen3-rr-st").toString();
    private static final String PLAIN = GOLDENS.resolve("qwen3-rr").toString();

    @TempDir
    Path folder;

    private static JsonNode expected(String model) {
        return Cli.read(GOLDENS.resolve(model).resolve("expected.json"));
    }

    private static List<JsonNode> score(String model, JsonNode expected, String... options) {
        List<String> arguments = new ArrayList<>(List.of(
                "score", "-m", model, "--query", expected.get("queries").get(0).asText()));
        arguments.addAll(List.of(options));
        expected.get("documents").forEach(d -> arguments.add(d.asText()));
        return Cli.run(arguments.toArray(String[]::new)).lines();
    }

    @Test
    void scoresAreThoseOfTheReference() {
        JsonNode expected = expected("qwen3-rr-st");
        List<JsonNode> results = score(STATED, expected);
        for (int d = 0; d < results.size(); d++) {
            assertEquals(
                    expected.get("scores").get(0).get(d).asDouble(),
                    results.get(d).get("score").asDouble(),
                    1e-5);
            assertEquals(2, results.get(d).get("logits").size());
            assertFalse(results.get(d).has("tokens"));
        }
    }

    @Test
    void aTemplateAnInstructionAndRawScoresMayBeAskedFor() {
        JsonNode all = expected("qwen3-rr");
        JsonNode expected = all.get("other_instruction");
        String instruction = expected.get("instruction").asText();
        List<JsonNode> results = score(PLAIN, expected, "--template", "qwen3-reranker", "--instruction", instruction);
        for (int d = 0; d < results.size(); d++) {
            assertEquals(
                    expected.get("scores").get(0).get(d).asDouble(),
                    results.get(d).get("score").asDouble(),
                    1e-5);
        }
        JsonNode raw = score(PLAIN, all, "--template", "qwen3-reranker", "--raw-scores")
                .getFirst();
        JsonNode logits = all.get("logits").get(0).get(0);
        assertEquals(
                logits.get(0).asDouble() - logits.get(1).asDouble(),
                raw.get("score").asDouble(),
                1e-4);
    }

    @Test
    void aTemplateMayComeFromAFile() throws IOException {
        Path file = folder.resolve("t.json");
        Files.writeString(
                file, "{\"pieces\": [\"{query} {document}\"], \"true_token\": \"yes\", \"activation\": \"none\"}");
        JsonNode result = score(PLAIN, expected("qwen3-rr"), "--template", file.toString())
                .getFirst();
        assertEquals(1, result.get("logits").size());
        assertEquals(result.get("logits").get(0), result.get("score"));
    }

    private static void refused(int code, String word, String... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertEquals(code, result.code(), result.err());
        assertTrue(result.err().contains(word), result.err());
    }

    @Test
    void mistakesAreUsageErrors() throws IOException {
        refused(2, "qwen3-reranker", "score", "-m", PLAIN, "--template", "nosuch", "--query", "q", "d");
        Path file = folder.resolve("t.json");
        Files.writeString(file, "{}");
        refused(2, "pieces", "score", "-m", PLAIN, "--template", file.toString(), "--query", "q", "d");
        refused(2, "instruction", "score", "-m", PLAIN, "--instruction", "x", "--query", "q", "d");
        refused(2, "raw scores", "score", "-m", PLAIN, "--raw-scores", "--query", "q", "d");
        refused(2, "prompt", "score", "-m", STATED, "--prompt", "x {} y", "--query", "q", "d");
        refused(2, "--template", "search", "--template", "likelihood", "q");
        refused(2, "--instruction", "eval", "--data", folder.toString(), "--instruction", "x");
    }

    @Test
    void aModelThatScoresPairsDoesNotEmbed() {
        refused(1, "sgpt score", "embed", "-m", STATED, "text");
    }

    @Test
    void inspectTellsTheWay() {
        String text = Cli.run("inspect", "-m", STATED).text();
        assertTrue(text.contains("choice with the template chat"), text);
        JsonNode json =
                Cli.parse(Cli.run("inspect", "-m", STATED, "--format", "json").text());
        assertEquals("choice", json.get("scoring").asText());
        assertEquals("chat", json.get("scoring_template").asText());
        assertTrue(json.get("scoring_from").asText().contains("modules.json"));
        JsonNode plain =
                Cli.parse(Cli.run("inspect", "-m", PLAIN, "--format", "json").text());
        assertEquals("likelihood", plain.get("scoring").asText());
    }

    @Test
    void searchReRanksWithATemplate() throws IOException {
        Path corpus = folder.resolve("corpus.txt");
        Files.writeString(corpus, "The Nile is a river.\nBoil an egg.\nFear of heights.\n");
        List<JsonNode> results = Cli.run(
                        "search",
                        "-m",
                        PLAIN,
                        "--corpus",
                        corpus.toString(),
                        "--rerank",
                        "3",
                        "--template",
                        "qwen3-reranker",
                        "--instruction",
                        "Find it",
                        "--format",
                        "jsonl",
                        "river")
                .lines();
        assertEquals(3, results.size());
        double before = 1;
        for (JsonNode result : results) {
            double score = result.get("rerank_score").asDouble();
            assertTrue(score > 0 && score <= before, "rerank_score: " + score);
            before = score;
        }
    }

    @Test
    void aModelWithoutRoomForTextsIsAFaultOfItsFiles() throws IOException {
        Path model = folder.resolve("short");
        Path golden = GOLDENS.resolve("qwen3-rr-st");
        try (var files = Files.walk(golden)) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(golden.relativize(file).toString()));
            }
        }
        Files.writeString(
                model.resolve("sentence_bert_config.json"),
                "{\"transformer_task\": \"text-generation\", \"max_seq_length\": 1}");
        String line =
                Cli.run("score", "-m", model.toString(), "--query", "q", "d").failure(1);
        assertTrue(line.startsWith(model.toString()) && line.contains("maximal length 1: expected at least"), line);
    }
}
