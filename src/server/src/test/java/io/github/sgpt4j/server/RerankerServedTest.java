package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.RunningServer.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Re-rankers that answer with a token or with a classification head, against the reference's scores.
class RerankerServedTest {
    private static final Path MODELS = Path.of("../engine/src/test/resources/goldens-decoders/models");
    private static final double PROBABILITY = 1e-5;
    private static final double LOGIT = 1e-4;

    private static JsonNode expected(String model) {
        try {
            return new JsonMapper()
                    .readTree(MODELS.resolve(model).resolve("expected.json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::textValue).toList();
    }

    /// The logit of a head, or the difference of those of "yes" and "no".
    private static double logit(JsonNode logits) {
        return logits.get(0).doubleValue() - (logits.size() == 2 ? logits.get(1).doubleValue() : 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3-rr-st", "qwen3-seqcls-st"})
    void answersTheReferencesScoresOnEveryRoute(String name) {
        JsonNode expected = expected(name);
        List<String> documents = texts(expected.get("documents"));
        try (RunningServer server =
                RunningServer.serving(RunningServer.served(MODELS.resolve(name), name, List.of(), false, true))) {
            for (int q = 0; q < expected.get("queries").size(); q++) {
                String query = expected.get("queries").get(q).textValue();
                JsonNode scores = expected.get("scores").get(q);
                JsonNode logits = expected.get("logits").get(q);
                for (JsonNode rank :
                        ok(server.post("/rerank", RunningServer.json(Map.of("query", query, "texts", documents))))) {
                    double score = scores.get(rank.get("index").intValue()).doubleValue();
                    assertEquals(score, rank.get("score").doubleValue(), PROBABILITY);
                }
                for (JsonNode rank : ok(server.post(
                        "/rerank",
                        RunningServer.json(Map.of("query", query, "texts", documents, "raw_scores", true))))) {
                    double raw = logit(logits.get(rank.get("index").intValue()));
                    assertEquals(raw, rank.get("score").doubleValue(), LOGIT);
                }
                for (String path : List.of("/v1/rerank", "/v2/rerank")) {
                    JsonNode answer =
                            ok(server.post(path, RunningServer.json(Map.of("query", query, "documents", documents))));
                    assertEquals(documents.size(), answer.get("results").size());
                    for (JsonNode result : answer.get("results")) {
                        double score =
                                scores.get(result.get("index").intValue()).doubleValue();
                        assertEquals(score, result.get("relevance_score").doubleValue(), PROBABILITY);
                    }
                }
            }
        }
    }
}
