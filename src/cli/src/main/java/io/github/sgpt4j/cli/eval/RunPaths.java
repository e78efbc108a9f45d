package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.eval.EvalSources.Collection;
import io.github.sgpt4j.retrieval.evaluation.BeirDataset;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Where the runs of collections are: one file, or a folder with a file for each.
final class RunPaths {
    private RunPaths() {}

    /// Whether there is one run only.
    static boolean isSingle(List<Collection> collections) {
        return collections.size() == 1 && !collections.getFirst().isDivided();
    }

    /// The file of each part.
    ///
    /// @param given the file, or the folder
    static Map<BeirDataset, Path> of(Path given, List<Collection> collections) {
        Map<BeirDataset, Path> files = new LinkedHashMap<>();
        for (Collection collection : collections) {
            for (BeirDataset part : collection.parts()) {
                String name = collection.isDivided() ? collection.name() + "." + part.name() : part.name();
                files.put(part, isSingle(collections) ? given : given.resolve(name + ".run"));
            }
        }
        return files;
    }
}
