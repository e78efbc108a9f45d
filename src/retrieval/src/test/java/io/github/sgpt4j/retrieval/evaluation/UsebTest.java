package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.BiEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UsebTest {
    /// Four of the Twitter pairs are equal texts. In the reference their cosines differ by rounding,
    /// ±2e-16, and so do their ranks, which moves the correlation away from 0.677557, which SciPy gives
    /// for the same embeddings with cosines of exactly 1. This value and the average that includes it
    /// are compared with the exact ones.
    private static final Map<String, Double> EXACT =
            Map.of("spearman_twitter_twitterurl", 0.6775572, "spearman_twitter_avg", (0.6775572 + 0.586662) / 2);

    private static final Path USEB = Path.of("src/test/resources/useb-small");
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");

    @Test
    void givesEveryFigureOfUsebsOwnEvaluators() throws IOException {
        JsonNode expected =
                new ObjectMapper().readTree(USEB.resolve("expected.json").toFile());
        List<Useb.Result> results = new ArrayList<>();
        int compared = 0;
        try (BiEncoder encoder = BiEncoder.open(MODEL)) {
            for (UsebTask task : Useb.open(USEB, Useb.Split.TEST)) {
                Useb.Result result = Useb.evaluate(task, TextEmbedder.of(encoder), EvaluationListener.NONE);
                JsonNode figures = expected.get("results").get(result.task());
                assertEquals(figures.get("main").textValue(), result.mainMeasure());
                assertEquals(figures.size() - 1, result.values().size(), result.task());
                result.values()
                        .forEach((name, value) -> assertEquals(
                                EXACT.getOrDefault(name, figures.get(name).doubleValue()), value, 2e-5, name));
                compared += result.values().size();
                results.add(result);
            }
        }
        assertEquals(36, compared);
        assertEquals(expected.get("results").get("average_of_main").doubleValue(), Useb.average(results), 2e-5);
    }
}
