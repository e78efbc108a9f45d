package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.evaluation.Measure.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EvaluationTest {
    private static final List<Measure> MEASURES = measures();

    private static List<Measure> measures() {
        List<Measure> measures = new ArrayList<>(Measure.standard(Measure.STANDARD_CUTOFFS));
        measures.add(new Measure(Kind.MAP, 0));
        measures.add(new Measure(Kind.NDCG, 0));
        measures.add(new Measure(Kind.RECIPROCAL_RANK, 10));
        return measures;
    }

    private static double mean(Evaluation evaluation, String name) {
        Measure measure =
                MEASURES.stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
        return evaluation.mean(measure);
    }

    private static Evaluation evaluate(Map<String, Map<String, Integer>> qrels, Map<String, List<ScoredId>> run) {
        return Evaluation.of(Qrels.of(qrels), Run.of(run), MEASURES);
    }

    /// Judged: a 3, b 1, c 0, d 2, e -1. Ranked: c, b, x, a; d is missed.
    @Test
    void givesWhatIsComputedByHand() {
        Evaluation evaluation = evaluate(
                Map.of("q", Map.of("a", 3, "b", 1, "c", 0, "d", 2, "e", -1)),
                Map.of(
                        "q",
                        List.of(
                                new ScoredId("a", 0.1f),
                                new ScoredId("b", 0.7f),
                                new ScoredId("c", 0.9f),
                                new ScoredId("x", 0.5f))));
        double log3 = 1.584962500721156;
        double log5 = 2.321928094887362;
        assertEquals(0, mean(evaluation, "ndcg_cut_1"));
        assertEquals((1 / log3) / (3 + 2 / log3 + 1 / 2.0), mean(evaluation, "ndcg_cut_3"), 1e-12);
        assertEquals((1 / log3 + 3 / log5) / (3 + 2 / log3 + 1 / 2.0), mean(evaluation, "ndcg_cut_5"), 1e-12);
        assertEquals(mean(evaluation, "ndcg_cut_100"), mean(evaluation, "ndcg"), 0);
        assertEquals(0, mean(evaluation, "map_cut_1"));
        assertEquals(0.5 / 3, mean(evaluation, "map_cut_3"), 1e-12);
        assertEquals((0.5 + 0.5) / 3, mean(evaluation, "map_cut_5"), 1e-12);
        assertEquals((0.5 + 0.5) / 3, mean(evaluation, "map"), 1e-12);
        assertEquals(1.0 / 3, mean(evaluation, "recall_3"), 1e-12);
        assertEquals(2.0 / 3, mean(evaluation, "recall_10"), 1e-12);
        assertEquals(1.0 / 3, mean(evaluation, "P_3"), 1e-12);
        assertEquals(2.0 / 100, mean(evaluation, "P_100"), 1e-12);
        assertEquals(0.5, mean(evaluation, "recip_rank"));
        assertEquals(0.5, mean(evaluation, "recip_rank_10"));
    }

    @Test
    void ranksEqualScoresByIdDescendingAsBytes() {
        // The emoji (U+1F600) sorts after U+FFFD in UTF-8, and before it in Java's characters.
        List<ScoredId> documents = List.of(
                new ScoredId("a", 1),
                new ScoredId("\uFFFD", 1),
                new ScoredId("10", 1),
                new ScoredId("\uD83D\uDE00", 1),
                new ScoredId("9", 1),
                new ScoredId("aa", 1),
                new ScoredId("z", 0.5f));
        List<String> ids = Run.of(Map.of("q", documents)).ranking("q").stream()
                .map(ScoredId::id)
                .toList();
        assertEquals(List.of("\uD83D\uDE00", "\uFFFD", "aa", "a", "9", "10", "z"), ids);
    }

    @Test
    void treatsNegativeZeroAndZeroAsEqualScores() {
        List<ScoredId> documents = List.of(new ScoredId("b", -0f), new ScoredId("c", 0f), new ScoredId("a", 0f));
        assertEquals(
                List.of("c", "b", "a"),
                Run.of(Map.of("q", documents)).ranking("q").stream()
                        .map(ScoredId::id)
                        .toList());
    }

    @Test
    void averagesOverAllJudgedQueriesAndOnlyThose() {
        Evaluation evaluation = evaluate(
                Map.of("found", Map.of("a", 1), "missing", Map.of("a", 1), "irrelevant", Map.of("a", 0)),
                Map.of(
                        "found", List.of(new ScoredId("a", 1)),
                        "irrelevant", List.of(new ScoredId("a", 1)),
                        "unjudged", List.of(new ScoredId("a", 1))));
        assertEquals(1.0 / 3, mean(evaluation, "ndcg_cut_10"), 1e-12);
        assertEquals(List.of("missing"), evaluation.withoutResults());
        assertEquals(List.of("irrelevant"), evaluation.withoutRelevant());
        assertEquals(List.of("unjudged"), evaluation.withoutJudgements());
        assertThrows(IllegalArgumentException.class, () -> evaluation.of("unjudged"));
        for (Measure measure : MEASURES) {
            assertEquals(0, evaluation.of("irrelevant").get(measure));
        }
    }

    @Test
    void refusesRunsThatHaveNoOrder() {
        for (float score : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> Run.of(Map.of("q", List.of(new ScoredId("a", score)))));
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> Run.of(Map.of("q", List.of(new ScoredId("a", 1), new ScoredId("a", 2)))));
    }

    @Test
    void checksMeasures() {
        assertThrows(IllegalArgumentException.class, () -> new Measure(Kind.RECALL, 0));
        assertThrows(IllegalArgumentException.class, () -> new Measure(Kind.NDCG, -1));
        assertThrows(IllegalArgumentException.class, () -> Measure.standard(List.of(10, 0)));
        assertThrows(IllegalArgumentException.class, () -> Measure.standard(List.of(10, 10)));
        assertEquals("map_cut_7", new Measure(Kind.MAP, 7).name());
        assertEquals(21, Measure.standard(Measure.STANDARD_CUTOFFS).size());
    }

    @Test
    void dropsDocumentsOfTheQuerysOwnIdOnRequest() {
        Run run = Run.of(Map.of("a", List.of(new ScoredId("a", 2), new ScoredId("b", 1))));
        assertEquals(List.of(new ScoredId("b", 1)), run.withoutIdenticalIds().ranking("a"));
    }

    @Test
    void agreesWithANaiveImplementationOnRandomRuns() {
        long seed = Long.getLong("sgpt4j.seed", 20221);
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            Map<String, Map<String, Integer>> qrels = new LinkedHashMap<>();
            Map<String, List<ScoredId>> run = new LinkedHashMap<>();
            for (int q = 0; q < 1 + random.nextInt(5); q++) {
                qrels.put("q" + q, randomJudgements(random));
                if (random.nextInt(8) > 0) {
                    run.put("q" + q, randomRanking(random));
                }
            }
            Evaluation evaluation = evaluate(qrels, run);
            for (Measure measure : MEASURES) {
                double expected = 0;
                for (String query : qrels.keySet()) {
                    double value = NaiveMeasures.value(measure, qrels.get(query), run.getOrDefault(query, List.of()));
                    assertEquals(value, evaluation.of(query).get(measure), 1e-12, measure + ", seed " + seed);
                    expected += value / qrels.size();
                }
                assertEquals(expected, evaluation.mean(measure), 1e-12, measure + ", seed " + seed);
            }
        }
    }

    private static Map<String, Integer> randomJudgements(Random random) {
        Map<String, Integer> judgements = new LinkedHashMap<>();
        for (int i = 0; i < 1 + random.nextInt(20); i++) {
            judgements.put("d" + random.nextInt(200), random.nextInt(5) - 1);
        }
        return judgements;
    }

    private static List<ScoredId> randomRanking(Random random) {
        List<ScoredId> ranking = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < random.nextInt(150); i++) {
            String id = "d" + random.nextInt(200);
            if (seen.add(id)) {
                ranking.add(new ScoredId(id, random.nextInt(40) / 4f));
            }
        }
        return ranking;
    }
}
