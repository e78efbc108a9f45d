package io.github.sgpt4j.retrieval.evaluation.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.evaluation.Run;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RunFusionTest {
    private static final List<Run> RUNS = List.of(
            run(Map.of("q1", Map.of("a", 3.0, "b", 2.0, "c", 0.5), "q2", Map.of("x", 1.0))),
            run(Map.of("q1", Map.of("b", 9.0, "d", 7.0, "a", 1.0), "q2", Map.of("y", 4.0, "z", 2.0, "x", 2.0))),
            run(Map.of("q1", Map.of("d", -1.0, "c", -4.0), "q3", Map.of("n", 1.0, "m", 1.0))));

    private static Run run(Map<String, Map<String, Double>> scores) {
        Map<String, List<ScoredId>> results = new LinkedHashMap<>();
        scores.forEach((query, documents) -> {
            List<ScoredId> hits = new ArrayList<>();
            documents.forEach((id, score) -> hits.add(new ScoredId(id, score.floatValue())));
            results.put(query, hits);
        });
        return Run.of(results);
    }

    private static FusionMethod method(String name, Normalization scale) {
        return switch (name) {
            case "rrf" -> FusionMethod.ReciprocalRank.DEFAULT;
            case "combsum" -> new FusionMethod.CombSum(scale);
            case "combmnz" -> new FusionMethod.CombMnz(scale);
            default -> new FusionMethod.Weighted(List.of(0.5, 2.0, 1.0), scale);
        };
    }

    /// Scores of a, b, c, d for q1 and x, y, z for q2, from a Python program of twenty lines that was
    /// written from the definitions, apart from this code.
    @ParameterizedTest
    @CsvSource(textBlock = """
            rrf, NONE, 0.0322664585 0.0325224749 0.0320020481 0.0325224749, 0.0322664585 0.0163934426 0.0161290323
            combsum, MINMAX, 1.0 1.6 0.0 1.75, 1.0 1.0 0.0
            combsum, NONE, 4.0 11.0 -3.5 6.0, 3.0 4.0 2.0
            combsum, ZSCORE, -0.237262998 1.142802097 -2.297771369 1.392232270, -0.707106781 1.414213562 -0.707106781
            combmnz, MINMAX, 2.0 3.2 0.0 3.5, 2.0 1.0 0.0
            combmnz, NONE, 8.0 22.0 -7.0 12.0, 6.0 4.0 2.0
            combmnz, ZSCORE, -0.474525996 2.285604194 -4.595542738 2.784464541, -1.414213562 1.414213562 -0.707106781
            weighted, MINMAX, 0.5 2.3 0.0 2.5, 0.5 2.0 0.0
            weighted, NONE, 3.5 19.0 -3.75 13.0, 4.5 8.0 4.0
            weighted, ZSCORE, -2.177850918 2.042272062 -1.648885685 1.784464541, -1.414213562 2.828427125 -1.414213562
            """)
    void isWhatTheDefinitionsSay(String name, Normalization scale, String first, String second) {
        Run fused = RunFusion.fuse(RUNS, method(name, scale), 1000);
        assertEquals(Set.of("q1", "q2", "q3"), fused.queries());
        assertScores(List.of("a", "b", "c", "d"), first, fused.ranking("q1"));
        assertScores(List.of("x", "y", "z"), second, fused.ranking("q2"));
    }

    private static void assertScores(List<String> ids, String expected, List<ScoredId> ranking) {
        Map<String, Float> scores = ranking.stream().collect(Collectors.toMap(ScoredId::id, ScoredId::score));
        assertEquals(Set.copyOf(ids), scores.keySet());
        String[] values = expected.split(" ");
        for (int i = 0; i < values.length; i++) {
            assertEquals(Float.parseFloat(values[i]), scores.get(ids.get(i)), 1e-6f, ids.get(i));
        }
    }

    @Test
    void equalScoresOfOneRunAreAllBest() {
        Run fused = RunFusion.fuse(RUNS.subList(2, 3), new FusionMethod.CombSum(Normalization.MINMAX), 10);
        assertEquals(List.of(new ScoredId("n", 1), new ScoredId("m", 1)), fused.ranking("q3"));
    }

    @ParameterizedTest
    @EnumSource(Normalization.class)
    void oneRunKeepsItsOrder(Normalization scale) {
        SplittableRandom random = new SplittableRandom(5);
        Map<String, Map<String, Double>> scores = new LinkedHashMap<>();
        for (int q = 0; q < 20; q++) {
            Map<String, Double> documents = new LinkedHashMap<>();
            for (int d = 0; d < 30; d++) {
                documents.put("d" + d, (double) random.nextInt(1000));
            }
            scores.put("q" + q, documents);
        }
        Run run = run(scores);
        for (FusionMethod method : List.of(
                new FusionMethod.CombSum(scale),
                new FusionMethod.CombMnz(scale),
                new FusionMethod.Weighted(List.of(3.0), scale),
                FusionMethod.ReciprocalRank.DEFAULT)) {
            Run fused = RunFusion.fuse(List.of(run), method, 7);
            for (String query : run.queries()) {
                List<String> expected =
                        run.ranking(query).stream().map(ScoredId::id).limit(7).toList();
                assertEquals(
                        expected,
                        fused.ranking(query).stream().map(ScoredId::id).toList(),
                        method.toString());
            }
        }
    }

    @Test
    void theConstantOfReciprocalRanksCounts() {
        Run fused = RunFusion.fuse(RUNS, new FusionMethod.ReciprocalRank(1), 10);
        assertEquals(
                1 / 2.0f + 1 / 4.0f,
                fused.ranking("q1").stream()
                        .filter(hit -> hit.id().equals("a"))
                        .findFirst()
                        .orElseThrow()
                        .score(),
                1e-6f);
    }

    @Test
    void refusesWhatCannotBeMerged() {
        FusionMethod two = new FusionMethod.Weighted(List.of(1.0, 2.0), Normalization.NONE);
        String message = assertThrows(IllegalArgumentException.class, () -> RunFusion.fuse(RUNS, two, 10))
                .getMessage();
        assertEquals("weights: expected one for each of 3 runs, got 2", message);
        assertThrows(IllegalArgumentException.class, () -> RunFusion.fuse(List.of(), two, 10));
        assertThrows(IllegalArgumentException.class, () -> RunFusion.fuse(RUNS, two, 0));
        assertThrows(IllegalArgumentException.class, () -> new FusionMethod.ReciprocalRank(0));
        for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new FusionMethod.Weighted(List.of(1.0, bad), Normalization.NONE));
        }
        assertThrows(
                IllegalArgumentException.class, () -> new FusionMethod.Weighted(List.of(0.0, 0.0), Normalization.NONE));
        Run huge = run(Map.of("q", Map.of("d", 3e38)));
        String overflow = assertThrows(
                        IllegalArgumentException.class,
                        () -> RunFusion.fuse(List.of(huge, huge), new FusionMethod.CombSum(Normalization.NONE), 10))
                .getMessage();
        assertTrue(overflow.contains("expected a finite score"), overflow);
    }
}
