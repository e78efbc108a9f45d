package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Writes the README's accuracy table to `target/accuracy.md`: the worst deviation of each family from transformers in
/// 64-bit arithmetic, as |actual − expected| / (1 + |expected|).
class AccuracyReportTest {
    private static final class Worst {
        private double embedding;
        private double logProbability;
        private int values;
    }

    @Test
    void everyFamilyIsWithinTheBound() throws IOException {
        Map<String, Worst> families = new TreeMap<>();
        for (String name : Goldens.models()) {
            JsonNode expected = Goldens.expected(name);
            Worst worst = families.computeIfAbsent(expected.get("family").textValue(), f -> new Worst());
            if (expected.get("kind").textValue().equals("be")) {
                embeddings(name, expected, worst);
            } else {
                scores(name, expected, worst);
            }
        }
        assertEquals(10, families.size());
        StringBuilder table = new StringBuilder(
                "| family | embeddings | log-probabilities | numbers compared |\n" + "| --- | --- | --- | --- |\n");
        families.forEach((family, worst) -> {
            assertTrue(worst.embedding <= 5e-5 && worst.logProbability <= 5e-5, family);
            table.append("| `%s` | %s | %s | %,d |%n"
                    .formatted(family, format(worst.embedding), format(worst.logProbability), worst.values));
        });
        Files.writeString(Path.of("target", "accuracy.md"), table);
    }

    private static String format(double deviation) {
        return deviation == 0 ? "–" : "%.1e".formatted(deviation);
    }

    private static void embeddings(String name, JsonNode expected, Worst worst) {
        List<String> texts = new ArrayList<>();
        expected.get("texts").forEach(t -> texts.add(t.textValue()));
        try (Model model = Model.open(Goldens.model(name))) {
            boolean normalizes = model.info().modules().contains("Normalize");
            for (Map.Entry<String, JsonNode> mode : expected.get("pooled").properties()) {
                BiEncoderOptions options = BiEncoderOptions.DEFAULT
                        .withSpecb(false)
                        .withPooling(Pooling.parse(mode.getKey().toLowerCase(Locale.ROOT)));
                try (BiEncoder encoder = BiEncoder.of(model, options)) {
                    float[][] actual = encoder.embed(texts);
                    for (int i = 0; i < actual.length; i++) {
                        double[] vector = Closeness.doubles(mode.getValue().get(i));
                        if (normalizes) {
                            Closeness.normalize(vector);
                        }
                        worst.embedding = Math.max(worst.embedding, Closeness.deviation(vector, actual[i]));
                        worst.values += vector.length;
                    }
                }
            }
        }
    }

    private static void scores(String name, JsonNode expected, Worst worst) {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT
                .withPrompt(expected.get("prompt").textValue())
                .withMaxLength(expected.get("max_length").intValue());
        List<String> documents = new ArrayList<>();
        expected.get("documents").forEach(d -> documents.add(d.textValue()));
        try (Model model = Model.open(Goldens.model(name));
                BiEncoder embedder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                CrossEncoder encoder = CrossEncoder.of(model, options)) {
            // The first text of the bi-encoders' goldens, without a Pooling module.
            double[] embedding = Closeness.doubles(expected.get("embedding_of_first_text"));
            worst.embedding =
                    Math.max(worst.embedding, Closeness.deviation(embedding, embedder.embed("deep learning")));
            worst.values += embedding.length;
            for (int q = 0; q < expected.get("queries").size(); q++) {
                List<CrossEncoder.Score> scores =
                        encoder.score(expected.get("queries").get(q).textValue(), documents);
                for (int d = 0; d < documents.size(); d++) {
                    double[] tokens = Closeness.doubles(
                            expected.get("token_log_probs").get(q).get(d));
                    float[] actual = new float[tokens.length];
                    for (int t = 0; t < actual.length; t++) {
                        actual[t] = scores.get(d).tokenLogProbabilities().get(t);
                    }
                    worst.logProbability = Math.max(worst.logProbability, Closeness.deviation(tokens, actual));
                    worst.values += tokens.length;
                }
            }
        }
    }
}
