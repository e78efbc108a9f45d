package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import io.github.sgpt4j.retrieval.evaluation.significance.HolmBonferroni;
import io.github.sgpt4j.retrieval.evaluation.significance.PairedComparison;
import io.github.sgpt4j.retrieval.evaluation.significance.PairedTTest;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/// Runs compared with the first of them.
///
/// @param measure what is compared
/// @param names of all runs, the baseline first
/// @param evaluations of all runs, in the same order
/// @param rows a comparison for each run but the first
/// @param seed of the randomization tests
record CompareResult(Measure measure, List<String> names, List<Evaluation> evaluations, List<Row> rows, long seed) {
    /// A run and the baseline.
    ///
    /// @param name of the run
    /// @param comparison with the baseline
    /// @param adjustedTTest the t-test's p-value after Holm's correction; empty if there is none
    /// @param adjustedRandomization the randomization test's
    record Row(String name, PairedComparison comparison, OptionalDouble adjustedTTest, double adjustedRandomization) {
        OptionalDouble tTest() {
            return comparison.tTest().isEmpty()
                    ? OptionalDouble.empty()
                    : OptionalDouble.of(comparison.tTest().get().pValue());
        }
    }

    /// Compares.
    ///
    /// @throws IllegalArgumentException if the number of samples is out of range
    static CompareResult of(Measure measure, List<String> names, List<Evaluation> evaluations, int samples, long seed) {
        List<PairedComparison> comparisons = evaluations.stream()
                .skip(1)
                .map(run -> PairedComparison.of(evaluations.getFirst(), run, measure, samples, seed))
                .toList();
        // A test that is not defined finds nothing, and still counts as one that was made.
        double[] tTests = HolmBonferroni.adjust(comparisons.stream()
                .mapToDouble(c -> c.tTest().map(PairedTTest::pValue).orElse(1.0))
                .toArray());
        double[] randomizations = HolmBonferroni.adjust(comparisons.stream()
                .mapToDouble(c -> c.randomization().pValue())
                .toArray());
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < comparisons.size(); i++) {
            PairedComparison comparison = comparisons.get(i);
            rows.add(new Row(
                    names.get(i + 1),
                    comparison,
                    comparison.tTest().isPresent() ? OptionalDouble.of(tTests[i]) : OptionalDouble.empty(),
                    randomizations[i]));
        }
        return new CompareResult(measure, names, evaluations, rows, seed);
    }

    double baselineMean() {
        return evaluations.getFirst().mean(measure);
    }

    int queries() {
        return evaluations.getFirst().queries().size();
    }
}
