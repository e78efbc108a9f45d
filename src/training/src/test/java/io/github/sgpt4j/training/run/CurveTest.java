package io.github.sgpt4j.training.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.training.TrainingStep;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CurveTest {
    @TempDir
    Path folder;

    private static TrainingStep step(long number) {
        return new TrainingStep(
                number, 10, number / 5.0, 4, 2.0 / number, OptionalDouble.of(0.5), 3, 1.0 / 3, 1e-4, 100, false, 0.25);
    }

    private static Map<String, Double> scores(double accuracy) {
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put("dev_accuracy", accuracy);
        scores.put("ndcg_cut_10 Ünicode", 0.1);
        return scores;
    }

    private Curve after(long step) throws IOException {
        return Curve.after(step, folder, 10, "dev_accuracy");
    }

    private void write() throws IOException {
        Files.deleteIfExists(folder.resolve("curve.jsonl"));
        try (Curve curve = after(0)) {
            curve.scores(0, scores(0.25));
            for (int i = 1; i <= 4; i++) {
                curve.step(step(i));
            }
            curve.scores(4, scores(0.75));
            curve.step(step(5));
            curve.draw();
        }
    }

    private List<String> lines() throws IOException {
        return Files.readAllLines(folder.resolve("curve.jsonl"));
    }

    @Test
    void everyLineIsAnObjectThatIsWrittenAtOnce() throws IOException {
        try (Curve curve = after(0)) {
            curve.step(step(1));
            JsonNode node = new ObjectMapper().readTree(lines().getFirst());
            assertEquals(
                    Map.of("step", "1", "loss", "2.0", "clipped", "true", "lr", "1.0E-4", "tokens_per_second", "400.0"),
                    values(node, Set.of("step", "loss", "clipped", "lr", "tokens_per_second")));
            assertEquals(10, node.size());
            curve.scores(1, scores(0.5));
            assertEquals("{\"step\":1,\"dev_accuracy\":0.5,\"ndcg_cut_10 Ünicode\":0.1}", lines().getLast());
        }
    }

    private static Map<String, String> values(JsonNode node, Set<String> keys) {
        Map<String, String> values = new TreeMap<>();
        keys.forEach(key -> values.put(key, node.get(key).asText()));
        return values;
    }

    @Test
    void linesAfterTheStepAreRemoved() throws IOException {
        write();
        List<String> whole = lines();
        assertEquals(7, whole.size());
        try (Curve curve = after(4)) {
            assertEquals(whole.subList(0, 6), lines());
            assertEquals(Map.of(0L, scores(0.25), 4L, scores(0.75)), curve.scores());
            assertEquals(OptionalDouble.of(0.75), curve.best(OptionalDouble.of(0.5)));
            assertEquals(OptionalDouble.of(0.8), curve.best(OptionalDouble.of(0.8)));
            curve.step(step(5));
            assertEquals(whole, lines());
        }
        try (Curve curve = after(3)) {
            assertEquals(whole.subList(0, 4), lines());
            assertEquals(Map.of(0L, scores(0.25)), curve.scores());
        }
        try (Curve curve = after(0)) {
            assertEquals(whole.subList(0, 1), lines());
            assertEquals(OptionalDouble.of(0.25), curve.best(OptionalDouble.empty()));
        }
    }

    @Test
    void aLineThatWasCutAndAllBehindItAreRemoved() throws IOException {
        write();
        List<String> whole = lines();
        byte[] bytes = Files.readAllBytes(folder.resolve("curve.jsonl"));
        int last = whole.getLast().length() + 1;
        // Also within a character of two bytes, and where nothing but the line's end is missing.
        for (int cut = 1; cut < last + 20; cut++) {
            Files.write(folder.resolve("curve.jsonl"), Arrays.copyOf(bytes, bytes.length - cut));
            after(10).close();
            List<String> left = lines();
            assertEquals(whole.subList(0, left.size()), left);
            assertEquals(cut == 1 ? 7 : cut <= last + 1 ? 6 : 5, left.size(), "cut " + cut);
        }
        for (String other : List.of(
                "\0\0\0\0",
                "7",
                "{\"loss\": 1}",
                "x".repeat(100_000),
                "{\"step\": \"later\"",
                "{\"step\": 5, \"dev_accuracy\": 1e999}",
                "{\"step\": 5, \"dev_accuracy\": \"0.9\"}",
                "{\"step\": -1, \"loss\": 1}",
                "{\"step\": 1.5, \"loss\": 1}",
                "{\"step\": 5, \"loss\": null}")) {
            write();
            Files.writeString(folder.resolve("curve.jsonl"), other + "\n" + whole.getLast(), StandardOpenOption.APPEND);
            after(10).close();
            assertEquals(whole.size(), lines().size(), other);
        }
    }

    /// Somebody has put links where the curve is written first.
    @Test
    void nothingIsWrittenThroughALink() throws IOException {
        Path other = Files.writeString(folder.resolve("other"), "theirs");
        for (String name : List.of(".curve.jsonl.tmp", ".curve.svg.tmp")) {
            Files.createSymbolicLink(folder.resolve(name), other);
        }
        write();
        assertEquals("theirs", Files.readString(other));
        assertEquals(7, lines().size());
    }

    @Test
    void anInterruptedThreadWritesAllTheSame() throws IOException {
        Thread.currentThread().interrupt();
        write();
        assertTrue(Thread.interrupted());
        assertEquals(7, lines().size());
        assertTrue(Files.readString(folder.resolve("curve.svg"), StandardCharsets.UTF_8)
                .startsWith("<svg "));
    }
}
