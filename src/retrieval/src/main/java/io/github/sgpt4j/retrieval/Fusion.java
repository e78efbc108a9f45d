package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Merges several rankings into one.
public final class Fusion {
    /// The constant in [#reciprocalRank] that its authors found to work well everywhere.
    public static final int RANK_CONSTANT = 60;

    private static final double DENSE_SHARE = 0.8;

    private Fusion() {}

    /// Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): a document's score is the sum of 1 /
    /// (60 + rank) over the rankings that contain it. It needs no tuning, and uses ranks only, no
    /// scores.
    ///
    /// @param rankings each best first, each id at most once
    /// @return every document in any ranking, best first
    public static List<ScoredId> reciprocalRank(List<List<ScoredId>> rankings) {
        return reciprocalRank(rankings, RANK_CONSTANT);
    }

    /// As [#reciprocalRank(List)], with another constant than 60.
    ///
    /// @param constant larger ones make the first ranks count less
    /// @throws IllegalArgumentException if it is negative
    public static List<ScoredId> reciprocalRank(List<List<ScoredId>> rankings, int constant) {
        if (constant < 0) {
            throw new IllegalArgumentException("constant: expected at least 0, got " + constant);
        }
        Map<String, Double> sums = new LinkedHashMap<>();
        for (List<ScoredId> ranking : rankings) {
            for (int i = 0; i < ranking.size(); i++) {
                sums.merge(ranking.get(i).id(), 1.0 / (constant + (i + 1.0)), Double::sum);
            }
        }
        return sorted(sums);
    }

    /// The fusion of a hybrid search: [#convex] with the weight of its paper where the bounds of similarities are
    /// known, which is so for cosines, and otherwise [#reciprocalRank]. On the collections in `jmh/usefulness` and
    /// on Cranfield the former finds more.
    ///
    /// @param dense similarities, best first
    /// @param bm25 BM25 scores, best first
    /// @param similarity what the former are
    /// @return every document in either ranking, best first
    public static List<ScoredId> hybrid(List<ScoredId> dense, List<ScoredId> bm25, Similarity similarity) {
        return similarity == Similarity.COSINE
                ? convex(dense, bm25, DENSE_SHARE)
                : reciprocalRank(List.of(dense, bm25));
    }

    /// Convex combination of normalised scores (Bruch, Gai and Ingber 2023, "An Analysis of Fusion
    /// Functions for Hybrid Retrieval", TM2C2): `alpha · dense + (1 - alpha) · bm25`, each scaled so
    /// that the least possible score (cosine -1, BM25 0) is 0 and the query's best is 1. A document
    /// missing from a ranking counts as the least possible score there.
    ///
    /// @param dense cosines, best first
    /// @param bm25 BM25 scores, best first
    /// @param alpha weight of the dense scores, 0 to 1; 0.8 in that paper unless tuned
    /// @return every document in either ranking, best first
    public static List<ScoredId> convex(List<ScoredId> dense, List<ScoredId> bm25, double alpha) {
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new IllegalArgumentException("alpha: expected 0 to 1, got " + alpha);
        }
        Map<String, Double> sums = new LinkedHashMap<>();
        addScaled(sums, dense, -1, alpha);
        addScaled(sums, bm25, 0, 1 - alpha);
        return sorted(sums);
    }

    private static void addScaled(Map<String, Double> sums, List<ScoredId> ranking, double least, double share) {
        if (ranking.isEmpty()) {
            return;
        }
        double range = ranking.getFirst().score() - least;
        for (ScoredId hit : ranking) {
            sums.merge(hit.id(), range > 0 ? share * (hit.score() - least) / range : 0, Double::sum);
        }
    }

    private static List<ScoredId> sorted(Map<String, Double> sums) {
        List<ScoredId> fused = new ArrayList<>();
        sums.forEach((id, sum) -> fused.add(new ScoredId(id, sum.floatValue())));
        fused.sort(ScoredId.BEST_FIRST);
        return fused;
    }
}
