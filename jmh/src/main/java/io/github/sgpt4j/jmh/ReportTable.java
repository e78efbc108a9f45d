package io.github.sgpt4j.jmh;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The report's tables in Markdown, with a row for each measurement and library, printed as soon as they are known.
record ReportTable(PrintStream out) {
    /// The content of a cell without a value.
    static final String NONE = "–";

    /// Converts seconds per call to the value that is shown.
    ///
    /// @param name of the unit
    /// @param amount work per call; 0 if the value is the time itself, in milliseconds
    record Unit(String name, double amount) {
        static Unit milliseconds() {
            return new Unit("ms", 0);
        }

        double value(double seconds) {
            return amount == 0 ? seconds * 1e3 : amount / seconds;
        }
    }

    /// Starts the table that compares our engine with the others.
    void questions() {
        heading(
                "Ours and the others",
                "Question",
                "Unit",
                "Ours",
                "Of the FMA peak",
                "Peer",
                "Its value",
                "Ours ÷ peer: median (min – max)");
    }

    /// Starts a table.
    void heading(String title, String... columns) {
        out.printf("%n### %s%n%n", title);
        row(columns);
        out.println("|---" + "|---:".repeat(columns.length - 1) + "|");
        out.flush();
    }

    /// The rows of one measurement; the first of `times` is ours.
    void rows(String question, Unit unit, List<Rounds.Times> times) {
        rows(question, unit, times, NONE);
    }

    /// The rows of one measurement; the first of `times` is ours.
    ///
    /// @param peak the share of the machine's peak that ours reaches
    void rows(String question, Unit unit, List<Rounds.Times> times, String peak) {
        Rounds.Times ours = times.getFirst();
        String value = number(unit.value(ours.median()));
        if (times.size() == 1) {
            row(question, unit.name(), value, peak, NONE, NONE, NONE);
        }
        for (Rounds.Times peer : times.subList(1, times.size())) {
            double[] ratios = Rounds.ratios(ours, peer, (own, other) -> unit.value(own) / unit.value(other));
            row(question, unit.name(), value, peak, peer.library(), number(unit.value(peer.median())), spread(ratios));
        }
    }

    void row(String... cells) {
        out.println("| " + String.join(" | ", cells) + " |");
        out.flush();
    }

    static String spread(double[] values) {
        return String.format(
                Locale.ROOT,
                "%.2f (%.2f – %.2f)",
                Rounds.median(values),
                Arrays.stream(values).min().orElse(Double.NaN),
                Arrays.stream(values).max().orElse(Double.NaN));
    }

    /// A whole number with thousands separators.
    static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    static String number(double value) {
        return String.format(Locale.ROOT, value >= 1000 ? "%,.0f" : value >= 100 ? "%.0f" : "%.2f", value);
    }
}
