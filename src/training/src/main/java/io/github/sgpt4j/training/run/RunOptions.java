package io.github.sgpt4j.training.run;

import io.github.sgpt4j.training.StepCount;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// What a training keeps and measures.
///
/// @param saveEvery between two saved states; zero for the end only
/// @param evaluateEvery between two evaluations; zero for start and end only
/// @param keep which state the training ends with
/// @param evaluations the first decides which state is best
/// @param settings more of what decides the numbers of the training, by name: a training that continues must have the
///     same
public record RunOptions(
        StepCount saveEvery,
        StepCount evaluateEvery,
        Keep keep,
        List<Evaluation> evaluations,
        Map<String, String> settings) {
    /// A state every 500 steps, the best one in the end.
    public static final RunOptions DEFAULT =
            new RunOptions(new StepCount.Steps(500), new StepCount.Percent(10), Keep.BEST, List.of(), Map.of());

    /// Copies the collections.
    public RunOptions {
        Objects.requireNonNull(saveEvery, "saveEvery");
        Objects.requireNonNull(evaluateEvery, "evaluateEvery");
        Objects.requireNonNull(keep, "keep");
        evaluations = List.copyOf(evaluations);
        settings = Collections.unmodifiableMap(new TreeMap<>(settings));
    }

    /// [#settings], and what decides which state is best.
    Map<String, String> allSettings() {
        Map<String, String> all = new TreeMap<>(settings);
        all.put("keep", keep.title());
        if (!evaluations.isEmpty()) {
            all.put("evaluate every", evaluateEvery.toString());
        }
        for (Evaluation evaluation : evaluations) {
            all.put("evaluation " + evaluation.name(), evaluation.source());
        }
        all.put(
                "evaluations",
                evaluations.isEmpty()
                        ? "none"
                        : evaluations.stream().map(Evaluation::name).collect(Collectors.joining(", ")));
        return all;
    }
}
