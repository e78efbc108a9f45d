package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// How good a run is: each measure for each query, and its mean over all queries that have judgements
/// (trec_eval's `-c`). A judged query without results counts as 0; results of queries without
/// judgements are ignored, and so are unjudged documents except for the ranks they take. Immutable.
public final class Evaluation {
    private final List<Measure> measures;
    private final Map<String, Map<Measure, Double>> values;
    private final List<String> withoutResults;
    private final List<String> withoutRelevant;
    private final List<String> withoutJudgements;

    private Evaluation(Qrels qrels, Run run, List<Measure> measures) {
        this.measures = List.copyOf(measures);
        Map<String, Map<Measure, Double>> byQuery = new LinkedHashMap<>();
        for (String query : qrels.queries()) {
            Interrupts.check("evaluation");
            JudgedRanking ranking = JudgedRanking.of(qrels.of(query), run.ranking(query));
            Map<Measure, Double> results = new LinkedHashMap<>();
            for (Measure measure : this.measures) {
                results.put(measure, ranking.value(measure));
            }
            byQuery.put(query, Collections.unmodifiableMap(results));
        }
        values = Collections.unmodifiableMap(byQuery);
        withoutResults = qrels.queries().stream()
                .filter(query -> run.ranking(query).isEmpty())
                .toList();
        withoutRelevant = qrels.queries().stream()
                .filter(query -> qrels.of(query).values().stream().noneMatch(judgement -> judgement > 0))
                .toList();
        withoutJudgements = run.queries().stream()
                .filter(query -> !qrels.queries().contains(query))
                .toList();
    }

    /// Evaluates a run.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    /// @throws IllegalArgumentException if there are no judgements or no measures
    public static Evaluation of(Qrels qrels, Run run, List<Measure> measures) {
        if (qrels.queries().isEmpty() || measures.isEmpty()) {
            throw new IllegalArgumentException("expected judgements and measures, got %d queries and %d measures"
                    .formatted(qrels.queries().size(), measures.size()));
        }
        return new Evaluation(qrels, run, measures);
    }

    /// What was measured, in the order asked for.
    public List<Measure> measures() {
        return measures;
    }

    /// Queries that have judgements.
    public Set<String> queries() {
        return values.keySet();
    }

    /// One query's results by measure.
    ///
    /// @throws IllegalArgumentException if the query has no judgements
    public Map<Measure, Double> of(String query) {
        Map<Measure, Double> results = values.get(query);
        if (results == null) {
            throw new IllegalArgumentException("query " + query + " has no judgements");
        }
        return results;
    }

    /// Mean over all judged queries.
    ///
    /// @throws IllegalArgumentException if it was not measured
    public double mean(Measure measure) {
        if (!measures.contains(measure)) {
            throw new IllegalArgumentException(measure + " was not measured");
        }
        double sum = 0;
        for (Map<Measure, Double> results : values.values()) {
            sum += results.getOrDefault(measure, 0.0);
        }
        return sum / values.size();
    }

    /// Means over all judged queries.
    public Map<Measure, Double> means() {
        Map<Measure, Double> means = new LinkedHashMap<>();
        for (Measure measure : measures) {
            means.put(measure, mean(measure));
        }
        return means;
    }

    /// Judged queries that the run has no result for; they count as 0.
    public List<String> withoutResults() {
        return withoutResults;
    }

    /// Judged queries without a relevant document; they count as 0, as in trec_eval.
    public List<String> withoutRelevant() {
        return withoutRelevant;
    }

    /// Queries of the run without judgements; they do not count.
    public List<String> withoutJudgements() {
        return withoutJudgements;
    }
}
