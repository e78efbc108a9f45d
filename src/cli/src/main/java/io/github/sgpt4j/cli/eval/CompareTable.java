package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.TextTable;
import io.github.sgpt4j.retrieval.evaluation.significance.PairedComparison;
import io.github.sgpt4j.retrieval.evaluation.significance.PairedTTest;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/// Comparisons of runs as a text table.
final class CompareTable {
    private CompareTable() {}

    static String of(CompareResult result) {
        TextTable table = new TextTable("lrrlrrrrrr")
                .row("", "mean", "change", "95 % interval", "better", "equal", "worse", "p t-test", "p random", "d")
                .row(result.names().getFirst(), figure(result.baselineMean()), "", "", "", "", "", "", "", "");
        for (CompareResult.Row row : result.rows()) {
            PairedComparison comparison = row.comparison();
            table.row(
                    row.name(),
                    figure(comparison.mean()),
                    signed(comparison.difference()),
                    interval(comparison.tTest()),
                    "%,d".formatted(comparison.wins()),
                    "%,d".formatted(comparison.ties()),
                    "%,d".formatted(comparison.losses()),
                    probability(row.adjustedTTest()),
                    probability(OptionalDouble.of(row.adjustedRandomization())),
                    effect(comparison.effectSize()));
        }
        String heading = "%s, %,d queries, compared with %s"
                .formatted(
                        result.measure().label(),
                        result.queries(),
                        Console.oneLine(result.names().getFirst()));
        return "%s\n\n%s\n%s\n".formatted(heading, table, explanation(result, "adjusted"));
    }

    /// What the p-values are.
    ///
    /// @param adjusted which of them are adjusted
    static String explanation(CompareResult result, String adjusted) {
        int comparisons = result.rows().size();
        String tried = result.rows().stream()
                        .allMatch(row -> row.comparison().randomization().exact())
                ? "all possibilities"
                : "%,d samples, seed %d"
                        .formatted(
                                result.rows().stream()
                                        .map(CompareResult.Row::comparison)
                                        .filter(c -> !c.randomization().exact())
                                        .mapToLong(c -> c.randomization().assignments())
                                        .max()
                                        .orElse(0),
                                result.seed());
        String correction = comparisons > 1 ? ", %s for %d comparisons (Holm)".formatted(adjusted, comparisons) : "";
        return ("p-values are two-sided and paired%s.%nrandom: Fisher's randomization test (%s). d: mean change by the"
                        + " standard deviation of the changes.")
                .formatted(correction, tried)
                .replace(System.lineSeparator(), "\n");
    }

    static String interval(Optional<PairedTTest> test) {
        return test.map(t -> "%s to %s".formatted(signed(t.low()), signed(t.high())))
                .orElse("-");
    }

    static String figure(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    static String signed(double value) {
        return String.format(Locale.ROOT, "%+.4f", value == 0 ? 0.0 : value);
    }

    static String effect(OptionalDouble value) {
        return value.isEmpty() ? "-" : String.format(Locale.ROOT, "%+.2f", value.getAsDouble());
    }

    static String probability(OptionalDouble p) {
        return p.isEmpty() ? "-" : p.getAsDouble() < 0.0001 ? "<0.0001" : figure(p.getAsDouble());
    }
}
