package io.github.sgpt4j.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The re-rankers among `goldens-decoders` in the test resources.
public final class RerankerGoldens {
    private RerankerGoldens() {}

    /// The directory of the checkpoint `name`.
    public static Path model(String name) {
        URL expected = RerankerGoldens.class.getResource("/goldens-decoders/models/" + name + "/expected.json");
        if (expected == null) {
            throw new IllegalArgumentException("no golden re-ranker " + name);
        }
        try {
            return Path.of(expected.toURI()).resolveSibling("");
        } catch (URISyntaxException e) {
            throw new IllegalStateException("goldens are not in a folder: " + expected, e);
        }
    }

    /// What the reference computes for the checkpoint `name`.
    public static JsonNode expected(String name) {
        Path file = model(name).resolve("expected.json");
        if (!Files.isRegularFile(file)) {
            throw new IllegalStateException("expected a file: " + file);
        }
        return Goldens.json(file);
    }

    /// All pairs of the queries and documents of a case, query by query.
    public record Pairs(List<String> queries, List<String> documents, List<int[]> indices) {
        public static Pairs of(JsonNode texts) {
            List<String> queries = new ArrayList<>();
            List<String> documents = new ArrayList<>();
            List<int[]> indices = new ArrayList<>();
            for (int q = 0; q < texts.get("queries").size(); q++) {
                for (int d = 0; d < texts.get("documents").size(); d++) {
                    queries.add(texts.get("queries").get(q).textValue());
                    documents.add(texts.get("documents").get(d).textValue());
                    indices.add(new int[] {q, d});
                }
            }
            return new Pairs(queries, documents, indices);
        }
    }
}
