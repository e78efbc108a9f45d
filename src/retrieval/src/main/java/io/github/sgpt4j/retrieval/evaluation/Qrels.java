package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Judgements: how relevant documents are to queries. Immutable.
public final class Qrels {
    private final Map<String, Map<String, Integer>> judgements;

    private Qrels(Map<String, Map<String, Integer>> judgements) {
        this.judgements = judgements;
    }

    /// Judgements by query and document.
    public static Qrels of(Map<String, ? extends Map<String, Integer>> judgements) {
        Map<String, Map<String, Integer>> copy = new LinkedHashMap<>();
        judgements.forEach(
                (query, judged) -> copy.put(query, Collections.unmodifiableMap(new LinkedHashMap<>(judged))));
        return new Qrels(Collections.unmodifiableMap(copy));
    }

    /// Reads a file, optionally `.gz`, in one of two formats, which its first line tells apart:
    ///
    /// - BEIR: query, document and judgement separated by tabs, after an optional header line
    ///   (`query-id`, `corpus-id`, `score`, or other common names);
    /// - TREC: query, a field that is ignored, document and judgement separated by blanks; lines that
    ///   start with `#` are skipped.
    ///
    /// Judgements are integers; 1 or more is relevant. Repeating a judgement is allowed.
    ///
    /// @throws FormatException names file and line: not one of these formats, a judgement that is not
    ///     an integer, two different judgements of a document, no judgement at all
    /// @throws IOException if the file cannot be read
    public static Qrels read(Path file) throws IOException {
        try (LineReader lines = TextFiles.open(file)) {
            Map<String, Map<String, Integer>> judgements = new LinkedHashMap<>();
            Optional<QrelsForm> form = Optional.empty();
            for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                if (line.get().isBlank()) {
                    continue;
                }
                if (form.isEmpty()) {
                    form = Optional.of(QrelsForm.of(line.get(), lines.where()));
                    if (form.get().isHeading(line.get())) {
                        continue;
                    }
                }
                List<String> fields = form.get().fields(line.get(), lines.where());
                if (!fields.isEmpty()) {
                    add(judgements, fields, lines.where());
                }
            }
            if (judgements.isEmpty()) {
                throw new FormatException(file + ": expected judgements, found none");
            }
            return of(judgements);
        }
    }

    private static void add(Map<String, Map<String, Integer>> judgements, List<String> fields, String where) {
        int judgement;
        try {
            judgement = Integer.parseInt(fields.get(2));
        } catch (NumberFormatException e) {
            throw new FormatException(
                    "%s: expected a whole number as judgement, got %s"
                            .formatted(where, ShownText.quoted(fields.get(2))),
                    e);
        }
        Integer before = judgements
                .computeIfAbsent(fields.get(0), query -> new LinkedHashMap<>())
                .putIfAbsent(fields.get(1), judgement);
        if (before != null && before != judgement) {
            throw new FormatException("%s: document %s of query %s is judged twice, %d before and %d here"
                    .formatted(
                            where,
                            ShownText.quoted(fields.get(1)),
                            ShownText.quoted(fields.get(0)),
                            before,
                            judgement));
        }
    }

    /// Queries that have judgements, in the order of the file.
    public Set<String> queries() {
        return judgements.keySet();
    }

    /// Judgements by document, in the order of the file; empty for an unknown query.
    public Map<String, Integer> of(String query) {
        return judgements.getOrDefault(query, Map.of());
    }
}
