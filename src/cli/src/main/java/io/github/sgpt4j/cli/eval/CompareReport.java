package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.report.Charts;
import io.github.sgpt4j.cli.report.Html;
import io.github.sgpt4j.cli.report.ReportPage;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.significance.PairedComparison;
import io.github.sgpt4j.retrieval.evaluation.significance.PairedTTest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// Comparisons of runs as JSON, and as a page.
///
/// @param result what is reported
/// @param made how
/// @param qrels the file of judgements
/// @param files the runs, as the user named them
/// @param identicalIds `keep` or `drop`
record CompareReport(CompareResult result, Reproduction made, String qrels, List<String> files, String identicalIds) {
    private static final String TESTS = "two-sided and paired over all judged queries: Student's t-test; Fisher's"
            + " randomization test (Smucker, Allan and Carterette 2007); adjusted: Holm 1979, over the comparisons with"
            + " the baseline; effect size: mean difference by the standard deviation of the differences";

    Map<String, Object> json() {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("measure", result.measure().name());
        report.put("queries", result.queries());
        report.put("qrels", qrels);
        report.put("identical_ids", identicalIds);
        report.put("baseline", Map.of("run", files.getFirst(), "mean", result.baselineMean()));
        report.put("tests", TESTS);
        List<Object> comparisons = new ArrayList<>();
        for (int i = 0; i < result.rows().size(); i++) {
            comparisons.add(comparison(files.get(i + 1), result.rows().get(i)));
        }
        report.put("comparisons", comparisons);
        report.putAll(made.facts());
        return report;
    }

    private Map<String, Object> comparison(String file, CompareResult.Row row) {
        PairedComparison comparison = row.comparison();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("run", file);
        fields.put("mean", comparison.mean());
        fields.put("difference", comparison.difference());
        fields.put("better", comparison.wins());
        fields.put("equal", comparison.ties());
        fields.put("worse", comparison.losses());
        comparison.effectSize().ifPresent(d -> fields.put("effect_size", d));
        // Without it, the test is not defined: too few queries, or no spread.
        comparison.tTest().ifPresent(test -> {
            Map<String, Object> t = new LinkedHashMap<>();
            t.put("t", test.t());
            t.put("degrees_of_freedom", test.degreesOfFreedom());
            t.put("p", test.pValue());
            row.adjustedTTest().ifPresent(p -> t.put("p_adjusted", p));
            t.put("interval_95", List.of(test.low(), test.high()));
            fields.put("t_test", t);
        });
        Map<String, Object> randomization = new LinkedHashMap<>();
        randomization.put("p", comparison.randomization().pValue());
        randomization.put("p_adjusted", row.adjustedRandomization());
        randomization.put("samples", comparison.randomization().assignments());
        randomization.put("exact", comparison.randomization().exact());
        randomization.put("seed", result.seed());
        fields.put("randomization_test", randomization);
        fields.put("per_query", comparison.differences());
        return fields;
    }

    byte[] page() {
        String measure = result.measure().label();
        ReportPage page = new ReportPage(
                "%s compared with %s".formatted(measure, result.names().getFirst()));
        Html body = page.body();
        body.element(
                "p",
                "%,d queries. The baseline, %s, has a mean %s of %s. %s"
                        .formatted(
                                result.queries(),
                                result.names().getFirst(),
                                measure,
                                CompareTable.figure(result.baselineMean()),
                                CompareTable.explanation(result, "the adjusted ones corrected")),
                "dir",
                "auto");
        page.table(
                "Comparisons with " + result.names().getFirst(),
                List.of(
                        "run",
                        "#mean",
                        "#change",
                        "#95 % interval",
                        "#better",
                        "#equal",
                        "#worse",
                        "#t",
                        "#p t-test",
                        "#p t-test, adjusted",
                        "#p random",
                        "#p random, adjusted",
                        "#d"),
                result.rows().stream().map(CompareReport::cells).toList());
        Charts.intervals(
                body,
                "Mean change of %s with its 95 %% interval (t distribution), by run".formatted(measure),
                result.rows().stream().map(CompareReport::interval).toList());
        body.open("section").element("h2", "Query by query");
        for (CompareResult.Row row : result.rows()) {
            Charts.differences(
                    body,
                    "%s against %s".formatted(row.name(), result.names().getFirst()),
                    List.copyOf(row.comparison().differences().keySet()),
                    row.comparison().differences().values().stream()
                            .mapToDouble(Double::doubleValue)
                            .toArray());
        }
        queries(page);
        body.close("section");
        Map<String, String> facts = made.facts();
        facts.put("judgements", qrels);
        facts.put("documents with their query's id", identicalIds);
        facts.put("measure", result.measure().name() + " as trec_eval defines it");
        facts.put("tests", TESTS);
        page.facts(facts);
        return page.bytes();
    }

    private static List<String> cells(CompareResult.Row row) {
        PairedComparison comparison = row.comparison();
        return List.of(
                row.name(),
                CompareTable.figure(comparison.mean()),
                CompareTable.signed(comparison.difference()),
                CompareTable.interval(comparison.tTest()),
                "%,d".formatted(comparison.wins()),
                "%,d".formatted(comparison.ties()),
                "%,d".formatted(comparison.losses()),
                comparison.tTest().map(t -> "%.3f".formatted(t.t())).orElse("-"),
                CompareTable.probability(row.tTest()),
                CompareTable.probability(row.adjustedTTest()),
                CompareTable.probability(
                        OptionalDouble.of(comparison.randomization().pValue())),
                CompareTable.probability(OptionalDouble.of(row.adjustedRandomization())),
                CompareTable.effect(comparison.effectSize()));
    }

    private static Charts.Interval interval(CompareResult.Row row) {
        double mean = row.comparison().difference();
        Optional<PairedTTest> test = row.comparison().tTest();
        return new Charts.Interval(
                row.name(),
                mean,
                test.map(PairedTTest::low).orElse(mean),
                test.map(PairedTTest::high).orElse(mean));
    }

    /// The table of all queries: each run's value, and each difference from the baseline.
    private void queries(ReportPage page) {
        List<String> columns = new ArrayList<>(List.of("query"));
        result.names().forEach(name -> columns.add("#" + name));
        result.rows().forEach(row -> columns.add("#change: " + row.name()));
        List<List<String>> rows = new ArrayList<>();
        for (String query : result.evaluations().getFirst().queries()) {
            List<String> cells = new ArrayList<>(List.of(query));
            for (Evaluation evaluation : result.evaluations()) {
                cells.add(CompareTable.figure(evaluation.of(query).getOrDefault(result.measure(), 0.0)));
            }
            for (CompareResult.Row row : result.rows()) {
                cells.add(CompareTable.signed(row.comparison().differences().getOrDefault(query, 0.0)));
            }
            rows.add(cells);
        }
        page.table(result.measure().label() + " of each query", columns, rows);
    }
}
