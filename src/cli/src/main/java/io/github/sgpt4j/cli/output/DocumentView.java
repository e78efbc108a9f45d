package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.QueryWords;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// A document that was found, in full, and why it was found.
public final class DocumentView {
    private static final int USUAL_COLUMNS = 100;
    private static final int MIN_COLUMNS = 20;
    private static final int MAX_COLUMNS = 200;

    private final int columns;
    private final boolean bold;

    /// @param columns of the terminal, 0 if unknown
    /// @param bold whether words of the query are in bold type
    public DocumentView(int columns, boolean bold) {
        this.columns = columns == 0 ? USUAL_COLUMNS : Math.clamp(columns, MIN_COLUMNS, MAX_COLUMNS);
        this.bold = bold;
    }

    /// Id, title, metadata and the whole text, in lines that fit; those of the passage that matched begin with a bar.
    public String whole(String query, Hit hit) {
        StringBuilder view = new StringBuilder();
        view.append(Console.oneLine(hit.document().id())).append('\n');
        hit.document()
                .title()
                .map(Console::oneLine)
                .filter(t -> !t.isEmpty())
                .ifPresent(t -> view.append(t).append('\n'));
        hit.document()
                .metadata()
                .asMap()
                .forEach((name, value) -> view.append("  ")
                        .append(Console.oneLine(name + " = " + value))
                        .append('\n'));
        view.append('\n');
        String text = hit.document().text();
        QueryWords words = QueryWords.of(query);
        TextRange passage = hit.passage().range();
        boolean part = passage.start() > 0 || passage.end() < text.length();
        int start = 0;
        for (String line : text.split("\\R", -1)) {
            int at = text.indexOf(line, start);
            for (TextRange piece : pieces(line)) {
                boolean inside = part && at + piece.start() < passage.end() && at + piece.end() > passage.start();
                view.append(inside ? "│ " : part ? "  " : "")
                        .append(marked(piece.of(line), words))
                        .append('\n');
            }
            start = at + line.length();
        }
        return view.append('\n').toString();
    }

    /// The parts of a line that fit, broken where lines may be broken.
    private List<TextRange> pieces(String line) {
        int room = columns - 2;
        List<TextRange> pieces = new ArrayList<>();
        BreakIterator breaks = BreakIterator.getLineInstance(Locale.ROOT);
        breaks.setText(line);
        int start = 0;
        int last = 0;
        for (int end = breaks.next(); end != BreakIterator.DONE; end = breaks.next()) {
            if (line.codePointCount(start, end) > room && last > start) {
                pieces.add(new TextRange(start, last));
                start = last;
            }
            while (line.codePointCount(start, end) > room) {
                int cut = line.offsetByCodePoints(start, room);
                pieces.add(new TextRange(start, cut));
                start = cut;
            }
            last = end;
        }
        pieces.add(new TextRange(start, line.length()));
        return pieces;
    }

    private String marked(String text, QueryWords words) {
        // As long as the text, so that places are the same.
        String safe = safe(text);
        return (bold ? BoldWords.of(safe, words.in(text)) : safe).stripTrailing();
    }

    /// Without characters that a terminal would interpret.
    private static String safe(String text) {
        StringBuilder safe = new StringBuilder(text.length());
        text.codePoints().forEach(c -> safe.appendCodePoint(Character.isISOControl(c) ? ' ' : c));
        return safe.toString();
    }

    /// Why a document was found, in a few sentences.
    public String why(String query, Hit hit, int rank, SearchOptions options, Similarity similarity) {
        StringBuilder why = new StringBuilder();
        line(why, "rank %d of a search by %s, score %.4f", rank, by(options.mode()), hit.score());
        hit.rerankScore().ifPresent(score -> line(why, "re-ranked by the model's score, %.3f", score));
        hit.similarity()
                .ifPresentOrElse(
                        value -> line(why, "by meaning: %s %.4f%s", similarity, value, place(hit)),
                        () -> line(why, "by meaning: not compared"));
        Map<String, Integer> counts = new TreeMap<>();
        String all = hit.document().joined();
        QueryWords.of(query)
                .in(all)
                .forEach(word -> counts.merge(word.of(all).toLowerCase(Locale.ROOT), 1, Integer::sum));
        String words = counts.entrySet().stream()
                .map(entry -> entry.getValue() == 1 ? entry.getKey() : entry.getKey() + " ×" + entry.getValue())
                .collect(Collectors.joining(", "));
        line(
                why,
                "by words: %s%s",
                hit.bm25()
                        .map(score -> String.format(Locale.ROOT, "BM25 %.4f; ", score))
                        .orElse(""),
                words.isEmpty() ? "none of the query's words are in it" : "in it are " + Console.oneLine(words));
        return why.append('\n').toString();
    }

    private static String place(Hit hit) {
        TextRange range = hit.passage().range();
        return range.end() - range.start() == hit.document().text().length()
                ? ""
                : String.format(Locale.ROOT, " of the passage at characters %,d to %,d", range.start(), range.end());
    }

    /// How a mode searches, after "by".
    public static String by(SearchMode mode) {
        return switch (mode) {
            case DENSE -> "meaning";
            case BM25 -> "words";
            case HYBRID -> "meaning and words";
        };
    }

    private static void line(StringBuilder to, String format, Object... values) {
        to.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
