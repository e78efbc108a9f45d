package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.eval.EvalSources.Collection;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.retrieval.evaluation.BeirDataset;
import io.github.sgpt4j.retrieval.evaluation.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs of another search, whose documents are scored again.
///
/// @param command receives notices
/// @param options names the runs
/// @param dropIdentical whether documents with their query's id are left out
record FirstStages(EvalCommand command, EvalOptions options, boolean dropIdentical) {
    /// The run of each part; empty if none are given.
    ///
    /// @throws IOException if a run cannot be read
    /// @throws io.github.sgpt4j.error.FormatException if it is malformed
    Map<BeirDataset, Run> read(List<Collection> collections) throws IOException {
        Map<BeirDataset, Run> runs = new LinkedHashMap<>();
        if (options.firstStage().isEmpty()) {
            return runs;
        }
        Path given = TextInput.path(options.firstStage().get());
        for (Map.Entry<BeirDataset, Path> file : RunPaths.of(given, collections).entrySet()) {
            Run run = Run.read(file.getValue());
            tell(file.getValue(), file.getKey(), run);
            runs.put(file.getKey(), dropIdentical ? run.withoutIdenticalIds() : run);
        }
        return runs;
    }

    private void tell(Path file, BeirDataset dataset, Run run) {
        List<String> unknown = run.queries().stream()
                .filter(query -> !dataset.queries().containsKey(query))
                .toList();
        if (!unknown.isEmpty()) {
            command.notice("%s: queries that %s does not judge, which are not scored: %,d (%s)"
                    .formatted(file, dataset.name(), unknown.size(), EvalTable.some(unknown)));
        }
        long fewer = dataset.queries().keySet().stream()
                .mapToInt(query -> run.ranking(query).size())
                .filter(found -> found > 0 && found < options.rerank())
                .count();
        if (fewer > 0) {
            command.notice("%s: queries with fewer than the %,d documents of --rerank: %,d"
                    .formatted(file, options.rerank(), fewer));
        }
    }
}
