package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Compares the scores of a BM25 run over a real collection with trec_eval's definitions.
class CranfieldTest {
    private final Path cranfield = SharedData.folder("cranfield");

    @Test
    void givesEveryFigureOfTheBm25RunToOneMillionth() throws IOException {
        JsonNode expected = new ObjectMapper()
                .readTree(cranfield.resolve("bm25.expected.json").toFile());
        Evaluation evaluation = Evaluation.of(
                Qrels.read(cranfield.resolve("qrels/test.tsv")),
                Run.read(cranfield.resolve("bm25.run")),
                Measure.standard(Measure.STANDARD_CUTOFFS));
        assertEquals(expected.get("queries").intValue(), evaluation.queries().size());
        Set<String> compared = new HashSet<>();
        evaluation.means().forEach((measure, mean) -> {
            assertEquals(expected.get("mean").get(measure.name()).doubleValue(), mean, 1e-6, measure.name());
            compared.add(measure.name());
        });
        assertEquals(expected.get("mean").size(), compared.size());
        JsonNode queries = expected.get("per_query_first_20");
        assertEquals(20, queries.size());
        queries.fieldNames().forEachRemaining(query -> {
            for (Map.Entry<Measure, Double> result : evaluation.of(query).entrySet()) {
                JsonNode value = queries.get(query).get(result.getKey().name());
                if (value != null) {
                    assertEquals(value.doubleValue(), result.getValue(), 1e-6, query + " " + result.getKey());
                }
            }
        });
    }
}
