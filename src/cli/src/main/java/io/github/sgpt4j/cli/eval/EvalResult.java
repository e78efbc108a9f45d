package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The result of evaluating a collection.
///
/// @param name of the collection
/// @param split whose judgements were used; empty if unknown
/// @param source where it came from, if not from a folder
/// @param asInBeir whether it is one of BEIR's collections, evaluated as BEIR does
/// @param parts the collection itself, or its sub-collections, whose means are averaged
public record EvalResult(String name, String split, Optional<String> source, boolean asInBeir, List<Part> parts) {
    public EvalResult {
        parts = List.copyOf(parts);
        if (parts.isEmpty()) {
            throw new IllegalArgumentException(name + ": expected parts, got none");
        }
    }

    /// A collection, or a sub-collection.
    ///
    /// @param name of it
    /// @param evaluation of its queries
    /// @param texts of the queries by id; empty if unknown
    public record Part(String name, Evaluation evaluation, Map<String, String> texts) {}

    public boolean isDivided() {
        return parts.size() > 1;
    }

    public int queries() {
        return parts.stream()
                .mapToInt(part -> part.evaluation().queries().size())
                .sum();
    }

    /// Means over queries, averaged over parts.
    public Map<Measure, Double> means() {
        return average(parts.stream().map(part -> part.evaluation().means()).toList());
    }

    /// The mean of each measure over the results, each with equal weight.
    public static Map<Measure, Double> average(List<Map<Measure, Double>> results) {
        Map<Measure, Double> sums = new LinkedHashMap<>();
        for (Map<Measure, Double> result : results) {
            result.forEach((measure, value) -> sums.merge(measure, value / results.size(), Double::sum));
        }
        return sums;
    }
}
