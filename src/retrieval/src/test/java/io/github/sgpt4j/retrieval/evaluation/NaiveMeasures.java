package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.retrieval.ScoredId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// The measures implemented again from their textbook definitions, without regard to speed.
final class NaiveMeasures {
    private NaiveMeasures() {}

    static double value(Measure measure, Map<String, Integer> judgements, List<ScoredId> documents) {
        List<ScoredId> order = new ArrayList<>(documents);
        order.sort(Comparator.comparingDouble((ScoredId d) -> -d.score())
                .thenComparing(d -> d.id().getBytes(StandardCharsets.UTF_8), (a, b) -> Arrays.compareUnsigned(b, a)));
        int cutoff = measure.cutoff() == 0 ? order.size() : Math.min(measure.cutoff(), order.size());
        List<String> top = order.subList(0, cutoff).stream().map(ScoredId::id).toList();
        long relevant = judgements.values().stream().filter(r -> r >= 1).count();
        if (relevant == 0) {
            return 0;
        }
        return switch (measure.kind()) {
            case PRECISION -> (double) hits(judgements, top) / measure.cutoff();
            case RECALL -> (double) hits(judgements, top) / relevant;
            case RECIPROCAL_RANK ->
                IntStream.rangeClosed(1, top.size())
                        .filter(rank -> hits(judgements, top.subList(rank - 1, rank)) == 1)
                        .mapToDouble(rank -> 1.0 / rank)
                        .findFirst()
                        .orElse(0);
            case MAP ->
                IntStream.rangeClosed(1, top.size())
                                .filter(rank -> hits(judgements, top.subList(rank - 1, rank)) == 1)
                                .mapToDouble(rank -> (double) hits(judgements, top.subList(0, rank)) / rank)
                                .sum()
                        / relevant;
            case NDCG -> {
                List<Integer> gains = top.stream()
                        .map(id -> Math.max(0, judgements.getOrDefault(id, 0)))
                        .toList();
                List<Integer> best = judgements.values().stream()
                        .map(r -> Math.max(0, r))
                        .sorted(Comparator.reverseOrder())
                        .limit(measure.cutoff() == 0 ? Long.MAX_VALUE : measure.cutoff())
                        .toList();
                yield dcg(gains) / dcg(best);
            }
        };
    }

    private static long hits(Map<String, Integer> judgements, List<String> ids) {
        return ids.stream().filter(id -> judgements.getOrDefault(id, 0) >= 1).count();
    }

    private static double dcg(List<Integer> gains) {
        return IntStream.range(0, gains.size())
                .mapToDouble(i -> gains.get(i) * Math.log(2) / Math.log(i + 2))
                .sum();
    }
}
