package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.QueryWords;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Results as text tables: rank, score, title or id, and what matched of the text; below them the beginning of the
/// metadata, if there are any.
public final class ResultTable {
    private static final int MIN_COLUMNS = 50;
    private static final int MAX_COLUMNS = 200;
    private static final int MAX_NAME_COLUMNS = 28;

    /// A name takes this part of a narrow terminal at most.
    private static final int NAME_SHARE = 4;

    private final int columns;
    private final boolean bold;

    /// Without bold type.
    ///
    /// @param columns of the terminal, 0 if unknown
    public ResultTable(int columns) {
        this(columns, false);
    }

    /// @param columns of the terminal, 0 if unknown
    /// @param bold whether words of the query are in bold type
    public ResultTable(int columns, boolean bold) {
        this.bold = bold;
        this.columns = columns == 0 ? 100 : Math.clamp(columns, MIN_COLUMNS, MAX_COLUMNS);
    }

    /// The table for one query.
    public String render(String query, List<Hit> results) {
        QueryWords words = QueryWords.of(query);
        boolean reranked = results.stream().anyMatch(r -> r.rerankScore().isPresent());
        int nameColumns = results.stream()
                .mapToInt(hit -> length(name(hit)))
                .map(length -> Math.min(length, Math.min(MAX_NAME_COLUMNS, columns / NAME_SHARE)))
                .max()
                .orElse(0);
        StringBuilder text = new StringBuilder(Console.oneLine(query)).append("\n\n");
        for (int i = 0; i < results.size(); i++) {
            Hit hit = results.get(i);
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%3d  %7.4f  ", i + 1, hit.score()));
            if (reranked) {
                line.append(hit.rerankScore()
                        .map(score -> String.format(Locale.ROOT, "%9.3f  ", score))
                        .orElse(" ".repeat(11)));
            }
            int indent = line.length();
            String name = cut(name(hit), nameColumns);
            line.append(name).repeat(' ', nameColumns - length(name) + 2);
            line.append(Snippet.of(hit, words, columns - length(line)).shown(bold));
            text.append(line.toString().stripTrailing()).append('\n');
            text.append(metadata(hit, indent));
        }
        return text.append(results.isEmpty() ? "nothing found\n" : "").toString();
    }

    /// The line of the metadata, or nothing.
    private String metadata(Hit hit, int indent) {
        Metadata metadata = hit.document().metadata();
        if (metadata.isEmpty()) {
            return "";
        }
        String line = metadata.asMap().entrySet().stream()
                .map(entry -> entry.getKey() + "=" + shown(entry.getValue()))
                .map(Console::oneLine)
                .collect(Collectors.joining(", "));
        return " ".repeat(indent) + cut(line, columns - indent) + "\n";
    }

    /// Strings in quotes, since a filter needs them for strings only.
    private static String shown(Object value) {
        return switch (value) {
            case List<?> values -> values.stream().map(ResultTable::shown).collect(Collectors.joining(", ", "[", "]"));
            case String text -> '"' + text + '"';
            default -> value.toString();
        };
    }

    private static String name(Hit hit) {
        String title = Console.oneLine(hit.document().title().orElse(""));
        return title.isEmpty() ? Console.oneLine(hit.document().id()) : title;
    }

    private static int length(CharSequence text) {
        return Character.codePointCount(text, 0, text.length());
    }

    private static String cut(String text, int most) {
        if (length(text) <= most) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, most - 1)).stripTrailing() + "…";
    }
}
