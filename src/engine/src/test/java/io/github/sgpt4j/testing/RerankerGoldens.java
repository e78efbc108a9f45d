package io.github.sgpt4j.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/// What is special about the re-rankers among [DecoderGoldens].
public final class RerankerGoldens {
    private RerankerGoldens() {}

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
