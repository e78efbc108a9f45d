package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.Similarity;
import java.util.List;
import org.junit.jupiter.api.Test;

class FusionTest {
    private static final List<ScoredId> DENSE =
            List.of(new ScoredId("a", 0.9f), new ScoredId("b", 0.5f), new ScoredId("c", -0.2f));
    private static final List<ScoredId> BM25 = List.of(new ScoredId("b", 12), new ScoredId("d", 3));

    @Test
    void addsReciprocalRanks() {
        List<ScoredId> fused = Fusion.reciprocalRank(List.of(DENSE, BM25));
        assertEquals(List.of("b", "a", "d", "c"), ids(fused));
        assertEquals(1.0 / 62 + 1.0 / 61, fused.getFirst().score(), 1e-8);
        assertEquals(1.0 / 63, fused.getLast().score(), 1e-8);
    }

    @Test
    void ordersEqualRanksById() {
        List<ScoredId> one = List.of(new ScoredId("z", 1), new ScoredId("y", 0));
        List<ScoredId> other = List.of(new ScoredId("x", 1), new ScoredId("w", 0));
        assertEquals(List.of("x", "z", "w", "y"), ids(Fusion.reciprocalRank(List.of(one, other))));
    }

    @Test
    void combinesScoresFromTheLeastPossibleToTheBest() {
        List<ScoredId> fused = Fusion.convex(DENSE, BM25, 0.6);
        assertEquals(List.of("b", "a", "c", "d"), ids(fused));
        assertEquals(0.6 * 1.5 / 1.9 + 0.4, fused.getFirst().score(), 1e-6);
        assertEquals(0.6, fused.get(1).score(), 1e-6);
        assertEquals(0.4 * 3 / 12, fused.getLast().score(), 1e-6);
    }

    @Test
    void keepsTheOrderOfOneRankingWhenTheOtherIsEmptyOrHasNoShare() {
        assertEquals(ids(DENSE), ids(Fusion.reciprocalRank(List.of(DENSE, List.of()))));
        assertEquals(ids(DENSE), ids(Fusion.convex(DENSE, List.of(), 0.5)));
        assertEquals(ids(BM25), ids(Fusion.convex(DENSE, BM25, 0)).subList(0, 2));
        assertEquals(List.of(), Fusion.convex(List.of(), List.of(), 0.5));
    }

    @Test
    void refusesSharesThatAreNone() {
        for (double alpha : new double[] {-0.1, 1.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> Fusion.convex(DENSE, BM25, alpha));
        }
    }

    private static List<String> ids(List<ScoredId> hits) {
        return hits.stream().map(ScoredId::id).toList();
    }

    @Test
    void aHybridSearchAddsScoresOnlyOfCosines() {
        assertEquals(Fusion.convex(DENSE, BM25, 0.8), Fusion.hybrid(DENSE, BM25, Similarity.COSINE));
        assertEquals(Fusion.reciprocalRank(List.of(DENSE, BM25)), Fusion.hybrid(DENSE, BM25, Similarity.DOT));
    }
}
