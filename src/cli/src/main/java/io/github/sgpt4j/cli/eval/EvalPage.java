package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.report.Charts;
import io.github.sgpt4j.cli.report.Html;
import io.github.sgpt4j.cli.report.ReportPage;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// An evaluation as a page: means, how queries are distributed, every query, and how it was made.
final class EvalPage {
    private EvalPage() {}

    /// @param about how documents were found
    /// @param results of all collections
    /// @param made how
    static byte[] of(Map<String, Object> about, List<EvalResult> results, Reproduction made) {
        String names = results.size() <= 3
                ? String.join(", ", results.stream().map(EvalResult::name).toList())
                : "%d collections".formatted(results.size());
        ReportPage page = new ReportPage("Evaluation of " + names);
        summary(page, results);
        for (EvalResult result : results) {
            for (EvalResult.Part part : result.parts()) {
                part(page, result.isDivided() ? result.name() + ": " + part.name() : part.name(), part);
            }
        }
        Map<String, String> facts = made.facts();
        about.forEach((name, value) -> facts.put(name.replace('_', ' '), String.valueOf(value)));
        for (EvalResult result : results) {
            result.source().ifPresent(source -> facts.put("source of " + result.name(), source));
            if (!result.split().isEmpty()) {
                facts.put("split of " + result.name(), result.split());
            }
        }
        facts.put("definitions", EvalJson.DEFINITIONS);
        page.facts(facts);
        return page.bytes();
    }

    private static void summary(ReportPage page, List<EvalResult> results) {
        List<Measure> measures = List.copyOf(results.getFirst().means().keySet());
        List<String> columns = new ArrayList<>(List.of("collection", "#queries"));
        measures.forEach(measure -> columns.add("#" + measure.label()));
        List<List<String>> rows = new ArrayList<>();
        for (EvalResult result : results) {
            rows.add(row(result.name(), "%,d".formatted(result.queries()), result.means(), measures));
            if (result.isDivided()) {
                for (EvalResult.Part part : result.parts()) {
                    rows.add(row(
                            result.name() + ": " + part.name(),
                            "%,d".formatted(part.evaluation().queries().size()),
                            part.evaluation().means(),
                            measures));
                }
            }
        }
        if (results.size() > 1) {
            rows.add(row("average of these " + results.size(), "", EvalTable.average(results), measures));
        }
        List<BeirAverages.Row> averages = BeirAverages.of(results).rows();
        averages.stream()
                .filter(average -> !average.means().isEmpty())
                .forEach(average -> rows.add(row(average.of().name(), "", average.means(), measures)));
        page.table("Means over all judged queries", columns, rows);
        averages.stream()
                .filter(average -> !average.missing().isEmpty())
                .forEach(average -> page.body()
                        .element(
                                "p",
                                "%s: not shown, lacks %s"
                                        .formatted(average.of().name(), String.join(", ", average.missing()))));
    }

    private static List<String> row(String name, String queries, Map<Measure, Double> means, List<Measure> measures) {
        List<String> cells = new ArrayList<>(List.of(name, queries));
        measures.forEach(measure -> cells.add(CompareTable.figure(means.getOrDefault(measure, 0.0))));
        return cells;
    }

    private static void part(ReportPage page, String name, EvalResult.Part part) {
        Evaluation evaluation = part.evaluation();
        List<Measure> shown = EvalTable.shown(evaluation.means());
        Html body = page.body();
        body.open("section").element("h2", name, "dir", "auto");
        for (String notice : EvalNotices.of(name, evaluation)) {
            body.element("p", notice, "dir", "auto");
        }
        Measure main = shown.getFirst();
        Charts.histogram(
                body,
                main.label(),
                evaluation.queries().stream()
                        .mapToDouble(query -> evaluation.of(query).getOrDefault(main, 0.0))
                        .toArray());
        List<String> columns = new ArrayList<>(List.of("query"));
        boolean texts = !part.texts().isEmpty();
        if (texts) {
            columns.add("text");
        }
        shown.forEach(measure -> columns.add("#" + measure.label()));
        List<List<String>> rows = new ArrayList<>();
        for (String query : evaluation.queries()) {
            List<String> cells = new ArrayList<>(List.of(query));
            if (texts) {
                cells.add(part.texts().getOrDefault(query, ""));
            }
            Map<Measure, Double> values = new LinkedHashMap<>(evaluation.of(query));
            shown.forEach(measure -> cells.add(CompareTable.figure(values.getOrDefault(measure, 0.0))));
            rows.add(cells);
        }
        page.table("Each query of " + name, columns, rows);
        body.close("section");
    }
}
