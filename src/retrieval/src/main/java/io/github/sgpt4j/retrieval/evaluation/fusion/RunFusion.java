package io.github.sgpt4j.retrieval.evaluation.fusion;

import io.github.sgpt4j.retrieval.Fusion;
import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.evaluation.Run;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/// Merges runs: each query's rankings become one. A run that did not find a document adds nothing to its
/// score.
public final class RunFusion {
    private RunFusion() {}

    /// Merges runs.
    ///
    /// @param runs at least one
    /// @param depth most documents kept for each query
    /// @return the queries of any run, in the order of their first occurrence
    /// @throws IllegalArgumentException if there are no runs, `depth` is below 1, the number of weights
    ///     is not that of the runs, or a sum of scores is too large for 32 bits
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public static Run fuse(List<Run> runs, FusionMethod method, int depth) {
        if (runs.isEmpty() || depth < 1) {
            throw new IllegalArgumentException(
                    "expected runs and a depth of at least 1, got %d runs and depth %d".formatted(runs.size(), depth));
        }
        if (method instanceof FusionMethod.Weighted(List<Double> weights, Normalization scale)
                && weights.size() != runs.size()) {
            throw new IllegalArgumentException(
                    "weights: expected one for each of %d runs, got %d".formatted(runs.size(), weights.size()));
        }
        Set<String> queries = new LinkedHashSet<>();
        runs.forEach(run -> queries.addAll(run.queries()));
        Map<String, List<ScoredId>> fused = new LinkedHashMap<>();
        for (String query : queries) {
            Interrupts.check("fusion");
            List<List<ScoredId>> rankings =
                    runs.stream().map(run -> run.ranking(query)).toList();
            fused.put(query, fuse(rankings, method));
        }
        return Run.of(fused).first(depth);
    }

    private static List<ScoredId> fuse(List<List<ScoredId>> rankings, FusionMethod method) {
        return switch (method) {
            case FusionMethod.ReciprocalRank(int k) -> Fusion.reciprocalRank(rankings, k);
            case FusionMethod.CombSum(Normalization scale) -> sum(rankings, scale, ones(rankings), false);
            case FusionMethod.CombMnz(Normalization scale) -> sum(rankings, scale, ones(rankings), true);
            case FusionMethod.Weighted(List<Double> weights, Normalization scale) ->
                sum(rankings, scale, weights, false);
        };
    }

    private static List<Double> ones(List<List<ScoredId>> rankings) {
        return rankings.stream().map(ranking -> 1.0).toList();
    }

    private static List<ScoredId> sum(
            List<List<ScoredId>> rankings, Normalization scale, List<Double> weights, boolean timesFound) {
        Map<String, Double> sums = new LinkedHashMap<>();
        Map<String, Integer> found = new LinkedHashMap<>();
        for (int i = 0; i < rankings.size(); i++) {
            if (rankings.get(i).isEmpty()) {
                continue;
            }
            double weight = weights.get(i);
            ToDoubleFunction<ScoredId> scaled = scale.of(rankings.get(i));
            for (ScoredId hit : rankings.get(i)) {
                sums.merge(hit.id(), weight * scaled.applyAsDouble(hit), Double::sum);
                found.merge(hit.id(), 1, Integer::sum);
            }
        }
        List<ScoredId> fused = new ArrayList<>(sums.size());
        sums.forEach((id, sum) -> {
            double score = timesFound ? sum * found.getOrDefault(id, 1) : sum;
            fused.add(new ScoredId(id, (float) score));
        });
        return fused;
    }
}
