package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Chooses the files of a repository with a collection in BEIR's layout: `corpus.jsonl`, `queries.jsonl`
/// and `qrels/SPLIT.tsv`; or of one with its judgements alone: `SPLIT.tsv`. Each may be compressed.
final class DatasetFiles {
    private static final Pattern INNER_QRELS = Pattern.compile("qrels/[\\w.-]+\\.tsv(?:\\.gz)?");
    private static final Pattern OUTER_QRELS = Pattern.compile("[\\w-][\\w.-]*\\.tsv(?:\\.gz)?");

    private DatasetFiles() {}

    /// The chosen paths.
    ///
    /// @param name of the dataset, for messages
    /// @throws FormatException if it is neither
    /// @throws IOException if the files cannot be listed
    static Set<String> in(String name, NeededFiles.Repository repository) throws IOException {
        Set<String> chosen = new LinkedHashSet<>();
        Optional<String> corpus = find(repository, "corpus.jsonl");
        Optional<String> queries = find(repository, "queries.jsonl");
        if (corpus.isPresent() && queries.isPresent()) {
            chosen.add(corpus.get());
            chosen.add(queries.get());
            add(chosen, repository, INNER_QRELS);
            return chosen;
        }
        add(chosen, repository, OUTER_QRELS);
        if (corpus.isPresent() || queries.isPresent() || chosen.isEmpty()) {
            throw new FormatException(
                    "%s: expected a collection in BEIR's layout (corpus.jsonl and queries.jsonl, or .gz of them), or its"
                                    .formatted(name)
                            + " judgements (SPLIT.tsv), found neither; it has " + repository.someNames());
        }
        return chosen;
    }

    private static Optional<String> find(NeededFiles.Repository repository, String name) {
        return List.of(name, name + ".gz").stream().filter(repository::has).findFirst();
    }

    private static void add(Set<String> chosen, NeededFiles.Repository repository, Pattern form) throws IOException {
        repository.paths().stream()
                .filter(path -> form.matcher(path).matches())
                .sorted()
                .forEach(chosen::add);
    }
}
