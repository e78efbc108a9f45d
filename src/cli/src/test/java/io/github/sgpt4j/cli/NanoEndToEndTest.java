package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The built-in model on its demo corpus, compared with results of the reference for the stored weights.
class NanoEndToEndTest {
    private static final Path FOLDER = Path.of("src/test/resources/nano");
    private static final int TOP = 5;
    /// The reference lists five decimal places; both sides round.
    private static final double COSINE_TOLERANCE = 2e-5;

    private static JsonNode expected;
    private static List<String> queries;
    private static Map<String, List<JsonNode>> results;

    @BeforeAll
    static void search() {
        expected = Cli.read(FOLDER.resolve("expected.json"));
        queries = new ArrayList<>();
        expected.get("queries").forEach(query -> queries.add(query.asText()));
        List<String> arguments = new ArrayList<>(List.of("search", "--format", "jsonl", "-k", "10"));
        arguments.addAll(queries);
        results = new HashMap<>();
        for (JsonNode line : Cli.run(arguments.toArray(String[]::new)).lines()) {
            results.computeIfAbsent(line.get("query").asText(), key -> new ArrayList<>())
                    .add(line);
        }
    }

    @Test
    void findsEveryLemmaThatTheReferenceFinds() throws IOException {
        List<String> rows = Files.readAllLines(FOLDER.resolve("queries.tsv"));
        int checked = 0;
        for (String row : rows.subList(1, rows.size())) {
            String[] fields = row.split("\t");
            if (Integer.parseInt(fields[2]) <= TOP) {
                boolean found = results.get(fields[0]).subList(0, TOP).stream()
                        .flatMap(line -> List.of(line.get("title").asText().split(", ")).stream())
                        .anyMatch(fields[1]::equals);
                assertTrue(found, row);
                checked++;
            }
        }
        assertTrue(checked > 20, "queries checked: " + checked);
    }

    @Test
    void agreesOnDocumentsAndCosines() {
        for (int q = 0; q < queries.size(); q++) {
            List<JsonNode> lines = results.get(queries.get(q));
            assertEquals(10, lines.size());
            JsonNode top = expected.get("top5").get(q);
            for (int i = 0; i < top.size(); i++) {
                String what = queries.get(q) + " " + i;
                assertEquals(i + 1, lines.get(i).get("rank").asInt());
                assertEquals(top.get(i).get(0), lines.get(i).get("id"), what);
                assertEquals(
                        top.get(i).get(1).asDouble(), lines.get(i).get("score").asDouble(), COSINE_TOLERANCE, what);
            }
        }
    }

    @Test
    void agreesOnQueryEmbeddings() {
        List<String> arguments = new ArrayList<>(List.of("embed", "--as", "query"));
        arguments.addAll(queries);
        List<JsonNode> lines = Cli.run(arguments.toArray(String[]::new)).lines();
        for (int q = 0; q < queries.size(); q++) {
            JsonNode first = expected.get("query_embedding_first8").get(q);
            for (int i = 0; i < first.size(); i++) {
                Cli.assertClose(
                        first.get(i).asDouble(),
                        lines.get(q).get("embedding").get(i).asDouble(),
                        queries.get(q) + " component " + i);
            }
        }
    }

    @Test
    void agreesOnRerankingScores() {
        List<String> arguments =
                new ArrayList<>(List.of("search", "--format", "jsonl", "-k", "5", "--force", "--rerank", "5"));
        arguments.addAll(queries);
        Cli.Result result = Cli.run(arguments.toArray(String[]::new));
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains("not trained for it"), result.err());
        Map<String, Double> scores = new HashMap<>();
        String query = "";
        double last = 0;
        for (JsonNode line : result.lines()) {
            double score = line.get("rerank_score").asDouble();
            assertTrue(!line.get("query").asText().equals(query) || score <= last, line.toString());
            query = line.get("query").asText();
            last = score;
            scores.put(query + " " + line.get("id").asText(), score);
        }
        for (int q = 0; q < queries.size(); q++) {
            for (JsonNode pair : expected.get("ce").get(q)) {
                String key = queries.get(q) + " " + pair.get(0).asText();
                Cli.assertClose(pair.get(1).asDouble(), scores.get(key), key);
            }
        }
    }
}
