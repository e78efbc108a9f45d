package io.github.sgpt4j.retrieval.evaluation.significance;

import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// One run against another, by one measure, query by query. All judged queries count; one without
/// results has a value of 0, as in the means.
///
/// @param measure what is compared
/// @param baseline mean of the run that is compared with
/// @param mean mean of the run that is compared
/// @param differences the run's value minus the baseline's, by query
/// @param wins queries for which the run is better
/// @param losses queries for which it is worse
/// @param tTest empty where it is not defined
/// @param randomization Fisher's test
public record PairedComparison(
        Measure measure,
        double baseline,
        double mean,
        Map<String, Double> differences,
        int wins,
        int losses,
        Optional<PairedTTest> tTest,
        RandomizationTest randomization) {
    /// Differences smaller than this are ties: values of equal rankings differ by less, other values by
    /// more.
    private static final double TIE = 1e-12;

    /// Compares two evaluations.
    ///
    /// @param baseline the run to compare with
    /// @param run evaluated with the same judgements
    /// @param measure that both measured
    /// @param assignments most assignments of signs in the randomization test
    /// @param seed of the randomization test
    /// @throws IllegalArgumentException if the queries differ, one did not measure that, or
    ///     `assignments` is out of range
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public static PairedComparison of(
            Evaluation baseline, Evaluation run, Measure measure, int assignments, long seed) {
        if (!baseline.queries().equals(run.queries())) {
            throw new IllegalArgumentException("expected evaluations of the same queries, got %d and %d queries"
                    .formatted(baseline.queries().size(), run.queries().size()));
        }
        double before = baseline.mean(measure);
        double after = run.mean(measure);
        Map<String, Double> differences = new LinkedHashMap<>();
        int wins = 0;
        int losses = 0;
        for (String query : baseline.queries()) {
            double difference = value(run, query, measure) - value(baseline, query, measure);
            double told = Math.abs(difference) < TIE ? 0 : difference;
            differences.put(query, told);
            wins += told > 0 ? 1 : 0;
            losses += told < 0 ? 1 : 0;
        }
        double[] values = values(differences);
        return new PairedComparison(
                measure,
                before,
                after,
                differences,
                wins,
                losses,
                PairedTTest.of(values),
                RandomizationTest.of(values, assignments, seed));
    }

    private static double value(Evaluation evaluation, String query, Measure measure) {
        return evaluation.of(query).getOrDefault(measure, 0.0);
    }

    private static double[] values(Map<String, Double> differences) {
        return differences.values().stream().mapToDouble(Double::doubleValue).toArray();
    }

    /// Mean of the differences.
    public double difference() {
        return PairedTTest.mean(values(differences));
    }

    /// Queries for which both are equally good.
    public int ties() {
        return differences.size() - wins - losses;
    }

    /// Cohen's d of paired values: the mean of the differences by their standard deviation. Empty where
    /// the t-test is not defined; 0 if all differences are 0.
    public OptionalDouble effectSize() {
        return tTest.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(tTest.get().t() / Math.sqrt(differences.size()));
    }
}
