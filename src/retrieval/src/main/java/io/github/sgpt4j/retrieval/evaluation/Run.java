package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.ScoredId;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// A search's results for each query, ranked as trec_eval ranks: by score, descending; equal scores by
/// document id, descending as bytes. Scores are 32-bit floating-point numbers, as in trec_eval.
/// Immutable.
public final class Run {
    private static final Pattern NUMBER = Pattern.compile("[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?");

    private final Map<String, List<ScoredId>> rankings;

    private Run(Map<String, List<ScoredId>> rankings) {
        this.rankings = rankings;
    }

    /// Results by query, each in any order.
    ///
    /// @throws IllegalArgumentException if a score is NaN or infinite, or a document occurs twice for a
    ///     query
    public static Run of(Map<String, ? extends List<ScoredId>> results) {
        Map<String, List<ScoredId>> rankings = new LinkedHashMap<>();
        results.forEach((query, documents) -> {
            Set<String> seen = new HashSet<>();
            for (ScoredId document : documents) {
                if (!Float.isFinite(document.score())) {
                    throw new IllegalArgumentException("query %s, document %s: expected a finite score, got %s"
                            .formatted(query, document.id(), document.score()));
                }
                if (!seen.add(document.id())) {
                    throw new IllegalArgumentException(
                            "query %s: document %s occurs twice".formatted(query, document.id()));
                }
            }
            rankings.put(query, sorted(documents));
        });
        return new Run(Collections.unmodifiableMap(rankings));
    }

    private static List<ScoredId> sorted(List<ScoredId> documents) {
        return documents.stream().sorted(RankingOrder.BEST_FIRST).toList();
    }

    /// Reads a run in TREC format, optionally `.gz`: query, `Q0`, document, rank, score, tag, separated
    /// by blanks, lines in any order. The second, the fourth and everything after the fifth field is
    /// ignored, as by trec_eval; blank lines and lines that start with `#` are skipped.
    ///
    /// @throws FormatException names file and line: too few fields, a score that is not a finite number
    ///     (in 32 bits), a document that occurs twice for a query, no line at all
    /// @throws IOException if the file cannot be read
    public static Run read(Path file) throws IOException {
        Map<String, Map<String, Float>> results = new LinkedHashMap<>();
        try (LineReader lines = TextFiles.open(file)) {
            for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                if (!TrecFields.isSkipped(line.get())) {
                    add(results, line.get(), lines.where());
                }
            }
        }
        if (results.isEmpty()) {
            throw new FormatException(file + ": expected results, found none");
        }
        Map<String, List<ScoredId>> rankings = new LinkedHashMap<>();
        results.forEach((query, scores) -> {
            List<ScoredId> documents = new ArrayList<>(scores.size());
            scores.forEach((id, score) -> documents.add(new ScoredId(id, score)));
            rankings.put(query, sorted(documents));
        });
        return new Run(Collections.unmodifiableMap(rankings));
    }

    private static void add(Map<String, Map<String, Float>> results, String line, String where) {
        List<String> fields = TrecFields.split(line);
        if (fields.size() < 6) {
            throw new FormatException("%s: expected query, Q0, document, rank, score and tag, got %s"
                    .formatted(where, ShownText.quoted(line)));
        }
        String text = fields.get(4);
        // The pattern keeps out text that only Java reads as a number, such as 1f.
        float score = NUMBER.matcher(text).matches() ? (float) Double.parseDouble(text) : Float.NaN;
        if (!Float.isFinite(score)) {
            throw new FormatException(
                    "%s: expected a finite number as score, got %s".formatted(where, ShownText.quoted(text)));
        }
        Float before = results.computeIfAbsent(fields.get(0), query -> new LinkedHashMap<>())
                .putIfAbsent(fields.get(2), score);
        if (before != null) {
            throw new FormatException("%s: document %s occurs a second time for query %s"
                    .formatted(where, ShownText.quoted(fields.get(2)), ShownText.quoted(fields.get(0))));
        }
    }

    /// Writes the run in TREC format: queries in their original order, documents from rank 1. Reading
    /// it back gives an equal run.
    ///
    /// @param out left open
    /// @param tag name of the run
    /// @throws FormatException if an id or the tag is empty or contains a blank, which the format
    ///     cannot represent
    /// @throws IOException if `out` cannot be written to
    public void write(OutputStream out, String tag) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<String, List<ScoredId>> ranking : rankings.entrySet()) {
            int rank = 1;
            for (ScoredId document : ranking.getValue()) {
                text.append(field(ranking.getKey(), "query"))
                        .append(" Q0 ")
                        .append(field(document.id(), "document"))
                        .append(' ')
                        .append(rank++)
                        .append(' ')
                        .append(document.score())
                        .append(' ')
                        .append(field(tag, "tag"))
                        .append('\n');
            }
            out.write(text.toString().getBytes(StandardCharsets.UTF_8));
            text.setLength(0);
        }
    }

    private static String field(String text, String what) {
        requireField(text, what);
        return text;
    }

    /// @param what names the text
    /// @throws FormatException if it is empty or contains a blank, which the format cannot represent
    static void requireField(String text, String what) {
        if (!TrecFields.isField(text)) {
            throw new FormatException("%s in a TREC run: expected non-empty text without blanks, got %s"
                    .formatted(what, ShownText.quoted(text)));
        }
    }

    /// Queries in their original order.
    public Set<String> queries() {
        return rankings.keySet();
    }

    /// Documents from best to worst; empty for an unknown query.
    public List<ScoredId> ranking(String query) {
        return rankings.getOrDefault(query, List.of());
    }

    /// This run without documents whose id equals the query's: BEIR's rule, since in some of its
    /// collections (ArguAna, Quora) queries are documents themselves.
    public Run withoutIdenticalIds() {
        Map<String, List<ScoredId>> kept = new LinkedHashMap<>();
        rankings.forEach((query, documents) -> kept.put(
                query, documents.stream().filter(d -> !d.id().equals(query)).toList()));
        return new Run(Collections.unmodifiableMap(kept));
    }

    /// This run with at most the first documents of each query.
    ///
    /// @throws IllegalArgumentException if `depth` is below 1
    public Run first(int depth) {
        if (depth < 1) {
            throw new IllegalArgumentException("depth: expected at least 1, got " + depth);
        }
        Map<String, List<ScoredId>> kept = new LinkedHashMap<>();
        rankings.forEach((query, documents) ->
                kept.put(query, List.copyOf(documents.subList(0, Math.min(depth, documents.size())))));
        return new Run(Collections.unmodifiableMap(kept));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Run run && run.rankings.equals(rankings);
    }

    @Override
    public int hashCode() {
        return rankings.hashCode();
    }
}
