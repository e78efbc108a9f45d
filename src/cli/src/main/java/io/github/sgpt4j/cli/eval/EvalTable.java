package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.command.PromptLine;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import io.github.sgpt4j.retrieval.evaluation.Measure.Kind;
import io.github.sgpt4j.retrieval.evaluation.Useb;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Evaluation results as text tables.
public final class EvalTable {
    private static final int NAME_COLUMNS = 30;
    private static final List<Kind> BY_CUTOFF = List.of(Kind.NDCG, Kind.MAP, Kind.RECALL, Kind.PRECISION);

    private EvalTable() {}

    /// The table of one collection: a row per cutoff, a column per measure.
    public static String single(String name, int queries, Map<Measure, Double> means) {
        StringBuilder text = new StringBuilder();
        text.append("%s, %,d queries%n%n".formatted(Console.oneLine(name), queries));
        text.append("%8s%10s%10s%10s%10s%n".formatted("", "nDCG", "MAP", "recall", "P"));
        means.keySet().stream()
                .map(Measure::cutoff)
                .filter(cutoff -> cutoff > 0)
                .distinct()
                .forEach(cutoff -> {
                    text.append("%8s".formatted("@" + cutoff));
                    for (Kind kind : BY_CUTOFF) {
                        text.append(
                                "%10s".formatted(figure(means.getOrDefault(new Measure(kind, cutoff), Double.NaN))));
                    }
                    text.append('\n');
                });
        means.forEach((measure, mean) -> {
            if (measure.cutoff() == 0) {
                text.append("%8s%10s%n".formatted("MRR", figure(mean)));
            }
        });
        return unix(text);
    }

    /// The line about a cross-encoder's prompt, and what its softmax runs over; empty if there is none.
    public static String prompt(Map<String, Object> about) {
        if (!about.containsKey("prompt")) {
            return "";
        }
        String name = String.valueOf(about.get("prompt"));
        String over = about.containsKey("choices") ? "choices" : "vocabulary";
        return "\nprompt %s, %s %s\n".formatted(PromptLine.name(name), over, about.get(over));
    }

    /// The table of several collections: a row per collection, with its parts below it, then the average.
    public static String several(List<EvalResult> results) {
        List<Measure> shown = shown(results.getFirst().means());
        StringBuilder text = new StringBuilder();
        text.append(("%-" + NAME_COLUMNS + "s%9s").formatted("", "queries"));
        shown.forEach(measure -> text.append("%12s".formatted(heading(measure))));
        text.append('\n');
        for (EvalResult result : results) {
            row(text, result.name(), Integer.toString(result.queries()), result.means(), shown);
            if (result.isDivided()) {
                result.parts()
                        .forEach(part -> row(
                                text,
                                "  " + part.name(),
                                Integer.toString(part.evaluation().queries().size()),
                                part.evaluation().means(),
                                shown));
            }
        }
        if (results.size() > 1) {
            row(text, "average of these " + results.size(), "", average(results), shown);
        }
        return unix(text);
    }

    /// A row of [#several] for an average.
    static String average(String name, Map<Measure, Double> means) {
        StringBuilder text = new StringBuilder();
        row(text, name, "", means, shown(means));
        return unix(text);
    }

    public static Map<Measure, Double> average(List<EvalResult> results) {
        return EvalResult.average(results.stream().map(EvalResult::means).toList());
    }

    private static void row(
            StringBuilder text, String name, String queries, Map<Measure, Double> means, List<Measure> shown) {
        String plain = name.startsWith("  ") ? "  " + Console.oneLine(name.substring(2)) : Console.oneLine(name);
        String cut = plain.length() < NAME_COLUMNS ? plain : plain.substring(0, NAME_COLUMNS - 2) + "…";
        text.append(("%-" + NAME_COLUMNS + "s%9s").formatted(cut, queries));
        shown.forEach(measure -> text.append("%12s".formatted(figure(means.getOrDefault(measure, Double.NaN)))));
        text.append('\n');
    }

    /// nDCG and P at the cutoff closest to 10, MAP and recall at the one closest to 100, MRR.
    static List<Measure> shown(Map<Measure, Double> means) {
        List<Integer> cutoffs = means.keySet().stream()
                .map(Measure::cutoff)
                .filter(cutoff -> cutoff > 0)
                .distinct()
                .toList();
        int ten = cutoffs.stream()
                .min(Comparator.comparingInt(c -> Math.abs(c - 10)))
                .orElse(10);
        int hundred = cutoffs.stream()
                .min(Comparator.comparingInt(c -> Math.abs(c - 100)))
                .orElse(100);
        return List.of(
                new Measure(Kind.NDCG, ten),
                new Measure(Kind.MAP, hundred),
                new Measure(Kind.RECALL, hundred),
                new Measure(Kind.PRECISION, ten),
                new Measure(Kind.RECIPROCAL_RANK, 0));
    }

    private static String heading(Measure measure) {
        String cutoff = "@" + measure.cutoff();
        return switch (measure.kind()) {
            case NDCG -> "nDCG" + cutoff;
            case MAP -> "MAP" + cutoff;
            case RECALL -> "recall" + cutoff;
            case PRECISION -> "P" + cutoff;
            case RECIPROCAL_RANK -> "MRR";
        };
    }

    /// Each query's results in the format of trec_eval: measure, query and value, separated by tabs, preceded
    /// by the collection's name if there is one.
    public static String perQuery(String prefix, Evaluation evaluation) {
        StringBuilder text = new StringBuilder();
        for (String query : evaluation.queries()) {
            evaluation.of(query).forEach((measure, value) -> {
                text.append(prefix).append(prefix.isEmpty() ? "" : "\t");
                text.append(measure)
                        .append('\t')
                        .append(query)
                        .append('\t')
                        .append(figure(value))
                        .append('\n');
            });
        }
        return text.toString();
    }

    /// The table of USEB's tasks: a row per measure, the main one marked, and the average of the main ones.
    public static String useb(List<Useb.Result> results) {
        StringBuilder text = new StringBuilder();
        for (Useb.Result result : results) {
            text.append(result.task()).append('\n');
            result.values()
                    .forEach((name, value) -> text.append("  %-36s%10s%s%n"
                            .formatted(
                                    Console.oneLine(name),
                                    figure(value),
                                    name.equals(result.mainMeasure()) ? "  main" : "")));
        }
        text.append("%-38s%10s%n".formatted("average of main measures", figure(Useb.average(results))));
        return unix(text);
    }

    private static String figure(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    private static String unix(StringBuilder text) {
        return text.toString().replace(System.lineSeparator(), "\n");
    }

    /// The values by measure name, for JSON.
    public static Map<String, Double> named(Map<Measure, Double> values) {
        Map<String, Double> named = new LinkedHashMap<>();
        values.forEach((measure, value) -> named.put(measure.name(), value));
        return named;
    }

    /// The names of the first few queries.
    public static String some(List<String> queries) {
        List<String> few = new ArrayList<>(queries.subList(0, Math.min(3, queries.size())));
        return String.join(", ", few) + (queries.size() > few.size() ? ", …" : "");
    }
}
