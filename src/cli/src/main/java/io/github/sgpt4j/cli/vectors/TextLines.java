package io.github.sgpt4j.cli.vectors;

import io.github.sgpt4j.cli.console.Console;
import java.util.Locale;

/// Lines about texts that fit a terminal.
final class TextLines {
    private static final int MIN_COLUMNS = 50;
    private static final int MAX_COLUMNS = 200;
    private static final int USUAL_COLUMNS = 100;
    private static final int ID_COLUMNS = 24;

    private final int columns;

    /// @param columns of the terminal, 0 if unknown
    TextLines(int columns) {
        this.columns = columns == 0 ? USUAL_COLUMNS : Math.clamp(columns, MIN_COLUMNS, MAX_COLUMNS);
    }

    /// A score as tables show it.
    static String score(float score) {
        return String.format(Locale.ROOT, "%7.4f", score);
    }

    /// Something, an id and the beginning of a text, on one line.
    String line(String before, String id, String text) {
        String shown = before + "  " + cut(Console.oneLine(id), ID_COLUMNS);
        String line = text.isEmpty() ? shown : shown + "  " + Console.oneLine(text);
        return cut(line, columns).stripTrailing() + "\n";
    }

    private static String cut(String text, int most) {
        if (text.codePointCount(0, text.length()) <= most) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, most - 1)).stripTrailing() + "…";
    }
}
