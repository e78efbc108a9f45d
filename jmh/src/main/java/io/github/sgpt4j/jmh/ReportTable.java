package io.github.sgpt4j.jmh;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The report's table in Markdown, a row for each question and peer, printed as they come.
record ReportTable(PrintStream out) {
    /// How seconds per call become the value that is shown.
    ///
    /// @param name unit
    /// @param amount work of a call; 0 if the value is the time itself, in milliseconds
    record Unit(String name, double amount) {
        static Unit milliseconds() {
            return new Unit("ms", 0);
        }

        double value(double seconds) {
            return amount == 0 ? seconds * 1e3 : amount / seconds;
        }
    }

    void header() {
        out.println("| Question | Unit | Ours | Peer | Its value | Ours ÷ peer: median (min – max) |");
        out.println("|---|---|---:|---|---:|---:|");
    }

    /// Rows of one question; the first of `times` is ours.
    void rows(String question, Unit unit, List<Rounds.Times> times) {
        Rounds.Times ours = times.getFirst();
        String value = number(unit.value(ours.median()));
        if (times.size() == 1) {
            row(question, unit.name(), value, "–", "–", "–");
        }
        for (Rounds.Times peer : times.subList(1, times.size())) {
            double[] ratios = new double[ours.seconds().length];
            Arrays.setAll(ratios, r -> unit.value(ours.seconds()[r]) / unit.value(peer.seconds()[r]));
            row(question, unit.name(), value, peer.library(), number(unit.value(peer.median())), spread(ratios));
        }
        out.flush();
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

    static String number(double value) {
        return String.format(Locale.ROOT, value >= 1000 ? "%,.0f" : value >= 100 ? "%.0f" : "%.2f", value);
    }
}
