package io.github.sgpt4j.cli.eval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import io.github.sgpt4j.retrieval.evaluation.Useb;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Evaluation reports as JSON. Fields keep their order, numbers their full precision.
public final class EvalJson {
    static final String DEFINITIONS =
            "trec_eval: linear gain, log2 discount, ideal ranking from all judged documents, averaged over all judged"
                    + " queries; run sorted by score descending, ties by document id descending";

    private EvalJson() {}

    /// The report on an existing run.
    public static Map<String, Object> run(String run, String qrels, Evaluation evaluation, boolean perQuery) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("run", run);
        report.put("qrels", qrels);
        report.put("definitions", DEFINITIONS);
        report.putAll(evaluation(evaluation, perQuery));
        return report;
    }

    /// The report on collections.
    ///
    /// @param about how they were searched
    public static Map<String, Object> data(Map<String, Object> about, List<EvalResult> results, boolean perQuery) {
        Map<String, Object> report = new LinkedHashMap<>(about);
        report.put("definitions", DEFINITIONS);
        List<Object> datasets = new ArrayList<>();
        for (EvalResult result : results) {
            datasets.add(dataset(result, perQuery));
        }
        report.put("datasets", datasets);
        report.put("average", EvalTable.named(EvalTable.average(results)));
        List<Object> averages = BeirAverages.of(results).json();
        if (!averages.isEmpty()) {
            report.put("beir_averages", averages);
        }
        return report;
    }

    private static Map<String, Object> dataset(EvalResult result, boolean perQuery) {
        Map<String, Object> dataset = new LinkedHashMap<>();
        dataset.put("name", result.name());
        dataset.put("split", result.split());
        result.source().ifPresent(source -> dataset.put("source", source));
        if (!result.isDivided()) {
            dataset.putAll(evaluation(result.parts().getFirst().evaluation(), perQuery));
            return dataset;
        }
        dataset.put("queries", result.queries());
        dataset.put("mean", EvalTable.named(result.means()));
        List<Object> parts = new ArrayList<>();
        for (EvalResult.Part part : result.parts()) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("name", part.name());
            fields.putAll(evaluation(part.evaluation(), perQuery));
            parts.add(fields);
        }
        dataset.put("parts", parts);
        return dataset;
    }

    private static Map<String, Object> evaluation(Evaluation evaluation, boolean perQuery) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("queries", evaluation.queries().size());
        fields.put("queries_without_results", evaluation.withoutResults().size());
        fields.put("queries_without_relevant", evaluation.withoutRelevant().size());
        fields.put("mean", EvalTable.named(evaluation.means()));
        if (perQuery) {
            Map<String, Object> queries = new LinkedHashMap<>();
            for (String query : evaluation.queries()) {
                Map<Measure, Double> values = evaluation.of(query);
                queries.put(query, EvalTable.named(values));
            }
            fields.put("per_query", queries);
        }
        return fields;
    }

    /// The report on USEB's tasks.
    ///
    /// @param about how texts were embedded
    public static Map<String, Object> useb(Map<String, Object> about, List<Useb.Result> results) {
        Map<String, Object> report = new LinkedHashMap<>(about);
        Map<String, Object> tasks = new LinkedHashMap<>();
        for (Useb.Result result : results) {
            Map<String, Object> values = new LinkedHashMap<>(result.values());
            values.put("main", result.mainMeasure());
            tasks.put(result.task(), values);
        }
        report.put("results", tasks);
        report.put("average_of_main", Useb.average(results));
        return report;
    }

    public static byte[] bytes(Map<String, Object> report) {
        DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
        printer.indentObjectsWith(new DefaultIndenter("  ", "\n"));
        printer.indentArraysWith(new DefaultIndenter("  ", "\n"));
        try {
            String text = JsonMapper.builder().build().writer(printer).writeValueAsString(report);
            return (text + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
