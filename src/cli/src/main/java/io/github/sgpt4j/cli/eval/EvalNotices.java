package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import java.util.ArrayList;
import java.util.List;

/// What the means of an evaluation conceal.
final class EvalNotices {
    private EvalNotices() {}

    /// Notices about queries without results, relevant documents or judgements.
    ///
    /// @param name of the run or collection
    static List<String> of(String name, Evaluation evaluation) {
        List<String> notices = new ArrayList<>();
        add(notices, name, "judged queries without results, which count as 0", evaluation.withoutResults());
        add(notices, name, "queries without a relevant document, which count as 0", evaluation.withoutRelevant());
        add(notices, name, "queries of the run without judgements, which do not count", evaluation.withoutJudgements());
        return notices;
    }

    private static void add(List<String> notices, String name, String what, List<String> queries) {
        if (!queries.isEmpty()) {
            notices.add("%s: %s: %,d (%s)".formatted(name, what, queries.size(), EvalTable.some(queries)));
        }
    }
}
