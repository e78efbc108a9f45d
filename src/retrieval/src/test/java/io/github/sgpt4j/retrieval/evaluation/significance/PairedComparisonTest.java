package io.github.sgpt4j.retrieval.evaluation.significance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import io.github.sgpt4j.retrieval.evaluation.Qrels;
import io.github.sgpt4j.retrieval.evaluation.Run;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class PairedComparisonTest {
    private static final Measure MRR = Measure.parse("MRR");
    private static final List<Measure> MEASURES = List.of(MRR);

    private static Evaluation evaluation(Map<String, Integer> rankOfRelevant) {
        Map<String, Map<String, Integer>> judgements = new LinkedHashMap<>();
        Map<String, List<ScoredId>> results = new LinkedHashMap<>();
        rankOfRelevant.forEach((query, rank) -> {
            judgements.put(query, Map.of("relevant", 1));
            if (rank > 0) {
                results.put(
                        query,
                        java.util.stream.IntStream.rangeClosed(1, rank)
                                .mapToObj(i -> new ScoredId(i == rank ? "relevant" : "other" + i, -i))
                                .toList());
            }
        });
        return Evaluation.of(Qrels.of(judgements), Run.of(results), MEASURES);
    }

    @Test
    void countsQueryByQuery() {
        Evaluation baseline = evaluation(Map.of("a", 1, "b", 2, "c", 4, "d", 0));
        Evaluation run = evaluation(Map.of("a", 1, "b", 1, "c", 0, "d", 2));
        PairedComparison comparison = PairedComparison.of(baseline, run, MRR, 1000, 1);
        assertEquals(
                Map.of("a", 0.0, "b", 0.5, "c", -0.25, "d", 0.5),
                comparison.differences(),
                "queries without results count as 0");
        assertEquals(List.of(2, 1, 1), List.of(comparison.wins(), comparison.ties(), comparison.losses()));
        assertEquals(1.75 / 4, comparison.baseline(), 1e-15);
        assertEquals(2.5 / 4, comparison.mean(), 1e-15);
        assertEquals(0.75 / 4, comparison.difference(), 1e-15);
        // Signs of 0.5, -0.25 and 0.5: four of the eight sums are at least 0.75 from 0.
        assertEquals(new RandomizationTest(0.5, 8, true), comparison.randomization());
        // Mean 0.1875, standard deviation 0.375 (numpy, ddof=1).
        assertEquals(0.1875 / 0.375, comparison.effectSize().orElseThrow(), 1e-14);
    }

    @Test
    void oneQueryHasNoTTest() {
        PairedComparison comparison =
                PairedComparison.of(evaluation(Map.of("a", 1)), evaluation(Map.of("a", 2)), MRR, 1000, 1);
        assertEquals(OptionalDouble.empty(), comparison.effectSize());
        assertEquals(1, comparison.randomization().pValue());
    }

    @Test
    void refusesOtherQueries() {
        assertThrows(
                IllegalArgumentException.class,
                () -> PairedComparison.of(evaluation(Map.of("a", 1)), evaluation(Map.of("b", 1)), MRR, 10, 1));
    }
}
