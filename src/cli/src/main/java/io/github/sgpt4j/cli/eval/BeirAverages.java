package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.retrieval.evaluation.BeirAverage;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The averages that papers give for BEIR. One is shown only if all of its collections were evaluated, each as
/// BEIR does; of the others, what is missing.
///
/// @param results of all collections
record BeirAverages(List<EvalResult> results) {
    BeirAverages {
        results = List.copyOf(results);
    }

    static BeirAverages of(List<EvalResult> results) {
        return new BeirAverages(results);
    }

    /// An average, or what it lacks.
    ///
    /// @param of which collections
    /// @param means empty if some are missing
    /// @param missing names of those
    record Row(BeirAverage of, Map<Measure, Double> means, List<String> missing) {}

    /// Empty unless several collections are BEIR's.
    List<Row> rows() {
        List<EvalResult> beir = results.stream().filter(EvalResult::asInBeir).toList();
        List<Row> rows = new ArrayList<>();
        if (beir.size() < 2) {
            return rows;
        }
        List<String> names = beir.stream().map(EvalResult::name).toList();
        for (BeirAverage average : BeirAverage.ALL) {
            List<String> missing = average.missing(names);
            List<Map<Measure, Double>> means = beir.stream()
                    .filter(result ->
                            average.collections().contains(result.name().toLowerCase(Locale.ROOT)))
                    .map(EvalResult::means)
                    .toList();
            // A collection that is given twice must not count twice.
            boolean once = means.size() == average.collections().size();
            rows.add(new Row(average, missing.isEmpty() && once ? EvalResult.average(means) : Map.of(), missing));
        }
        return rows;
    }

    /// Lines below the table of collections.
    String text() {
        StringBuilder text = new StringBuilder();
        for (Row row : rows()) {
            if (!row.means.isEmpty()) {
                text.append(EvalTable.average(row.of.name(), row.means));
            }
        }
        for (Row row : rows()) {
            if (!row.missing.isEmpty()) {
                text.append(row.of.name())
                        .append(": not shown, lacks ")
                        .append(String.join(", ", row.missing))
                        .append('\n');
            }
        }
        return text.toString();
    }

    List<Object> json() {
        List<Object> list = new ArrayList<>();
        for (Row row : rows()) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("name", row.of.name());
            if (row.means.isEmpty()) {
                fields.put("missing", row.missing);
            } else {
                fields.put("collections", row.of.collections());
                fields.put("mean", EvalTable.named(row.means));
            }
            list.add(fields);
        }
        return list;
    }
}
