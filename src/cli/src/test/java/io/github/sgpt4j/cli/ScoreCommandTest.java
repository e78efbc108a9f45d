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
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreCommandTest {
    private static final String MODEL = "gptneo-ce";

    @TempDir
    Path folder;

    @Test
    void agreesWithTheGoldensForPairsInAFile() throws IOException {
        JsonNode expected = Cli.expected(MODEL);
        StringBuilder lines = new StringBuilder();
        for (JsonNode query : expected.get("queries")) {
            for (JsonNode document : expected.get("documents")) {
                lines.append("{\"_id\":\"x\",\"query\":%s,\"document\":%s}\n".formatted(query, document));
            }
        }
        Path file = folder.resolve("pairs.jsonl");
        Files.writeString(file, lines);
        List<JsonNode> results =
                Cli.run("score", "-m", Cli.model(MODEL), "-i", file.toString()).lines();
        int index = 0;
        for (int q = 0; q < expected.get("queries").size(); q++) {
            for (int d = 0; d < expected.get("documents").size(); d++) {
                JsonNode result = results.get(index);
                assertEquals(index, result.get("index").asInt());
                assertEquals("x", result.get("id").asText());
                assertEquals(expected.get("queries").get(q), result.get("query"));
                assertEquals(expected.get("documents").get(d), result.get("document"));
                Cli.assertClose(
                        expected.get("scores").get(q).get(d).asDouble(),
                        result.get("score").asDouble(),
                        q + " " + d);
                assertEquals(
                        expected.get("token_log_probs").get(q).get(d).size(),
                        result.get("tokens").asInt());
                index++;
            }
        }
        assertEquals(index, results.size());
    }

    @Test
    void scoresDocumentsOfOneQueryFromArgumentsTextAndObjects() throws IOException {
        JsonNode expected = Cli.expected(MODEL);
        String query = expected.get("queries").get(1).asText();
        List<String> documents = new ArrayList<>();
        expected.get("documents").forEach(d -> documents.add(d.asText()));
        Path text = folder.resolve("documents.txt");
        Files.writeString(text, String.join("\n", documents));
        Path objects = folder.resolve("documents.jsonl");
        EmbedCommandTest.writeObjects(objects, expected.get("documents"));
        List<String> arguments = new ArrayList<>(List.of("score", "-m", Cli.model(MODEL), "--query", query));
        String fromText = run(arguments, List.of("-i", text.toString()));
        assertEquals(fromText, run(arguments, documents));
        assertEquals(fromText, run(arguments, List.of("-i", objects.toString())));
        List<String> lines = fromText.lines().toList();
        for (int d = 0; d < documents.size(); d++) {
            JsonNode result = Cli.parse(lines.get(d));
            assertFalse(result.has("id"));
            Cli.assertClose(
                    expected.get("scores").get(1).get(d).asDouble(),
                    result.get("score").asDouble(),
                    "document " + d);
        }
    }

    @Test
    void sortsFromBestToWorst() {
        JsonNode expected = Cli.expected(MODEL);
        List<String> arguments = new ArrayList<>(List.of(
                "score",
                "-m",
                Cli.model(MODEL),
                "--sort",
                "--query",
                expected.get("queries").get(0).asText()));
        expected.get("documents").forEach(d -> arguments.add(d.asText()));
        List<JsonNode> lines = Cli.run(arguments.toArray(String[]::new)).lines();
        List<Integer> order = new ArrayList<>();
        expected.get("documents").forEach(d -> order.add(order.size()));
        JsonNode scores = expected.get("scores").get(0);
        order.sort(
                (a, b) -> Double.compare(scores.get(b).asDouble(), scores.get(a).asDouble()));
        assertEquals(order, lines.stream().map(l -> l.get("index").asInt()).toList());
    }

    @Test
    void takesAnotherPrompt() {
        String usual =
                Cli.run("score", "-m", Cli.model(MODEL), "--query", "a", "b").text();
        String other = Cli.run("score", "-m", Cli.model(MODEL), "--prompt", "{} is about ", "--query", "a", "b")
                .text();
        assertFalse(usual.equals(other), usual);
    }

    private static Cli.Result scored(String prompt) {
        return Cli.run("score", "-m", Cli.model(MODEL), "--prompt", prompt, "--query", "a", "b");
    }

    @Test
    void takesPromptsOfThePaperByTheirLetter() {
        Cli.Result letter = scored("C");
        assertEquals(scored("Document:\n{}\n\nQuery:\n").text(), letter.text());
        assertTrue(letter.err().contains("prompt C, softmax over all rows of the model's output head"), letter.err());
        String usual =
                Cli.run("score", "-m", Cli.model(MODEL), "--query", "a", "b").text();
        assertEquals(usual, scored("G").text());
        assertFalse(usual.equals(letter.text()), usual);
    }

    @Test
    void takesPromptsFromFiles(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("few.json");
        Files.writeString(file, "{\"prompt\": \"K\", \"example\": {\"document\": \"x\", \"query\": \"y\"}}");
        Cli.Result few = scored(file.toString());
        assertEquals(0, few.code(), few.err());
        assertTrue(few.err().contains("prompt K (few.json), softmax over all rows"), few.err());
        assertFalse(scored("Document:\n{}\nQuery:\n").text().equals(few.text()), few.text());
        Files.writeString(file, "{\"prompt\": \"{} {}:\", \"choices\": [\" the\", \" a\"]}");
        Cli.Result choice = scored(file.toString());
        assertEquals(0, choice.code(), choice.err());
        assertEquals(2, choice.lines().getFirst().get("logits").size());
        assertTrue(choice.lines().getFirst().get("score").asDouble() < 0, choice.text());
        assertTrue(choice.err().contains("softmax over the tokens \" the\", \" a\""), choice.err());
        Files.writeString(file, "{\"prompt\": \"G\", \"vocabulary\": \"tokenizer\"}");
        assertTrue(scored(file.toString()).err().contains("softmax over the tokenizer's vocabulary"));
    }

    @Test
    void wrongPromptsAreUsageErrors(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("p.json");
        Files.writeString(file, "{\"prompt\": \"{}\", \"promt\": 1}");
        Map<String, String> wrong = Map.of(
                "no place",
                "expected {} once",
                "{} {}",
                "expected {} once",
                "J",
                "\"example\"",
                "N",
                "a letter from A to I",
                folder.resolve("absent.json").toString(),
                "absent.json",
                file.toString(),
                "\"promt\"");
        wrong.forEach((prompt, word) -> {
            Cli.Result result = scored(prompt);
            assertEquals(2, result.code(), prompt);
            assertTrue(result.err().contains(word), result.err());
        });
        Files.writeString(file, "{\"prompt\": \"{} {}\", \"choices\": [\"a\", \"b\"]}");
        Cli.Result instructed = Cli.run(
                "score",
                "-m",
                Cli.model(MODEL),
                "--prompt",
                file.toString(),
                "--instruction",
                "i",
                "--query",
                "a",
                "b");
        assertEquals(2, instructed.code(), instructed.err());
    }

    @Test
    void scoresAnEmptyQueryZeroWithoutTokens() {
        JsonNode result = Cli.run("score", "-m", Cli.model(MODEL), "--query", "", "a document")
                .lines()
                .getFirst();
        assertEquals(0.0, result.get("score").asDouble());
        assertEquals(0, result.get("tokens").asInt());
    }

    private static String run(List<String> arguments, List<String> more) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(more);
        Cli.Result result = Cli.run(all.toArray(String[]::new));
        assertEquals(0, result.code(), result.err());
        return result.text();
    }
}
