package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.Similarity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Searches rank by the model's similarity function and show its values.
class SimilarityTest {
    private static final String QUERY = "deep learning on another planet";

    @TempDir
    Path folder;

    private Path model;
    private String corpus;

    @BeforeEach
    void writeFiles() throws IOException {
        model = folder.resolve("model");
        Path golden = Path.of(Cli.model("gptneo-be"));
        try (Stream<Path> files = Files.walk(golden)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, model.resolve(golden.relativize(file).toString()));
            }
        }
        StringBuilder texts = new StringBuilder();
        for (String word : List.of("planet", "snow", "the", "deep learning", "spider")) {
            texts.append(word)
                    .append('\n')
                    .append(word.repeat(7))
                    .append('\n')
                    .append(word)
                    .append(" again\n");
        }
        corpus = Files.writeString(folder.resolve("corpus.txt"), texts).toString();
    }

    private void write(Similarity similarity) throws IOException {
        Files.writeString(
                model.resolve("config_sentence_transformers.json"),
                "{\"similarity_fn_name\": \"%s\"}".formatted(similarity));
    }

    private List<JsonNode> run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("-m", model.toString()));
        return Cli.run(all.toArray(String[]::new)).lines();
    }

    private static float[] vector(JsonNode line) {
        float[] vector = new float[line.get("embedding").size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = line.get("embedding").get(i).floatValue();
        }
        return vector;
    }

    private record Expected(String text, float score) {}

    private List<Expected> expected(Similarity similarity) {
        float[] query = vector(run("embed", "--as", "query", QUERY).getFirst());
        return run("embed", "--as", "document", "-i", corpus).stream()
                .map(line -> new Expected(line.get("text").asText(), similarity.of(query, vector(line))))
                .sorted(Comparator.comparing(Expected::score).reversed())
                .limit(8)
                .toList();
    }

    private static void assertFound(List<Expected> expected, List<JsonNode> lines) {
        assertEquals(
                expected.stream().map(Expected::text).toList(),
                lines.stream().map(line -> line.get("text").asText()).toList());
        for (int i = 0; i < lines.size(); i++) {
            Cli.assertClose(expected.get(i).score(), lines.get(i).get("score").asDouble(), "rank " + i);
        }
    }

    @ParameterizedTest
    @EnumSource
    void inMemory(Similarity similarity) throws IOException {
        write(similarity);
        assertFound(expected(similarity), run("search", "--corpus", corpus, "-k", "8", "--format", "jsonl", QUERY));
    }

    @ParameterizedTest
    @EnumSource(
            value = Similarity.class,
            names = {"COSINE", "DOT", "EUCLIDEAN"})
    void inAnIndex(Similarity similarity) throws IOException {
        write(similarity);
        String index = folder.resolve("index").toString();
        assertEquals(
                0,
                Cli.run("index", "--corpus", corpus, "--index", index, "-m", model.toString(), "--quiet")
                        .code());
        String[] search = {"search", "--index", index, "-k", "8", "--format", "jsonl", QUERY};
        assertFound(expected(similarity), run(search));
        List<String> hybrid = new ArrayList<>(List.of(search));
        hybrid.addAll(List.of("--mode", "hybrid"));
        JsonNode first = run(hybrid.toArray(String[]::new)).getFirst();
        assertTrue(first.has(similarity.toString()), first::toString);
        assertEquals(similarity == Similarity.COSINE, first.has("cosine"));
        write(similarity == Similarity.DOT ? Similarity.COSINE : Similarity.DOT);
        String refusal = Cli.run("search", "--index", index, "-m", model.toString(), QUERY)
                .failure(1);
        assertTrue(refusal.contains("by " + similarity + ", and cannot"), refusal);
    }

    @Test
    void anIndexRefusesManhattan() throws IOException {
        write(Similarity.MANHATTAN);
        Path index = folder.resolve("index");
        String refusal = Cli.run("index", "--corpus", corpus, "--index", index.toString(), "-m", model.toString())
                .failure(1);
        assertTrue(refusal.contains("manhattan"), refusal);
        assertFalse(Files.exists(index));
    }

    @Test
    void inAnEvaluation() throws IOException {
        Path data = Files.createDirectories(folder.resolve("data/qrels")).getParent();
        StringBuilder documents = new StringBuilder();
        int i = 0;
        for (String text : Files.readAllLines(Path.of(corpus))) {
            documents.append("{\"_id\": \"d%d\", \"text\": \"%s\"}\n".formatted(i++, text));
        }
        Files.writeString(data.resolve("corpus.jsonl"), documents);
        Files.writeString(data.resolve("queries.jsonl"), "{\"_id\": \"q\", \"text\": \"%s\"}\n".formatted(QUERY));
        Files.writeString(data.resolve("qrels/test.tsv"), "q\td0\t1\n");
        List<String> rankings = new ArrayList<>();
        for (Similarity similarity : Similarity.values()) {
            write(similarity);
            Path run = folder.resolve(similarity + ".run");
            Path report = folder.resolve("report.json");
            Cli.Result result = Cli.run(
                    "eval",
                    "--data",
                    data.toString(),
                    "-m",
                    model.toString(),
                    "--cache",
                    folder.resolve("cache").toString(),
                    "--save-run",
                    run.toString(),
                    "--report",
                    report.toString());
            assertEquals(0, result.code(), result.err());
            assertEquals(
                    similarity.toString(), Cli.read(report).get("similarity").asText());
            String[] best = Files.readAllLines(run).getFirst().split(" ");
            Expected expected = expected(similarity).getFirst();
            assertEquals(
                    expected.text(), Files.readAllLines(Path.of(corpus)).get(Integer.parseInt(best[2].substring(1))));
            Cli.assertClose(expected.score(), Double.parseDouble(best[4]), similarity.toString());
            rankings.add(Files.readString(run));
        }
        assertNotEquals(rankings.get(0), rankings.get(1));
    }
}
