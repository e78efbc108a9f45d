package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.QueryWords;
import io.github.sgpt4j.retrieval.passage.TextRange;
import java.util.ArrayList;
import java.util.List;

/// What fits on a line of the passage that matched: its beginning, or the part with the most words of the query.
///
/// @param text on one line
/// @param marks places of the words in it, in their order
record Snippet(String text, List<TextRange> marks) {
    private static final String MORE = "…";

    /// The share of the line that may be before the first word of the query.
    private static final int BEFORE_SHARE = 5;

    /// @param columns of the line
    static Snippet of(Hit hit, QueryWords words, int columns) {
        Snippet line = line(hit.passage().text(), words.in(hit.passage().text()));
        boolean within = hit.passage().range().start() > 0;
        if (line.length(0, line.text.length()) + (within ? 1 : 0) <= columns) {
            return line.part(0, line.text.length(), within);
        }
        int start = line.start(columns);
        int room = columns - 1 - (start > 0 || within ? 1 : 0);
        int end = line.length(start, line.text.length()) <= room + 1
                ? line.text.length()
                : line.text.offsetByCodePoints(start, Math.max(0, room));
        return line.part(start, end, start > 0 || within);
    }

    /// The text with its marks on one line, as [io.github.sgpt4j.cli.console.Console#oneLine] makes it.
    private static Snippet line(String text, List<TextRange> words) {
        StringBuilder line = new StringBuilder(text.length());
        List<TextRange> marks = new ArrayList<>();
        boolean space = false;
        int next = 0;
        int start = -1;
        for (int i = 0; i < text.length(); i++) {
            if (start >= 0 && i >= words.get(next).end()) {
                marks.add(new TextRange(start, line.length()));
                start = -1;
                next++;
            }
            char c = text.charAt(i);
            if (Character.isWhitespace(c) || Character.isISOControl(c)) {
                space = true;
                continue;
            }
            if (space && !line.isEmpty()) {
                line.append(' ');
            }
            space = false;
            if (start < 0 && next < words.size() && i >= words.get(next).start()) {
                start = line.length();
            }
            line.append(c);
        }
        if (start >= 0) {
            marks.add(new TextRange(start, line.length()));
        }
        return new Snippet(line.toString(), List.copyOf(marks));
    }

    /// Where a line begins that has the most words of the query.
    private int start(int columns) {
        int room = columns - columns / BEFORE_SHARE - 2;
        int first = 0;
        int last = -1;
        int end = 0;
        for (int i = 0; i < marks.size(); i++) {
            end = Math.max(end, i);
            while (end + 1 < marks.size()
                    && marks.get(end + 1).end() <= marks.get(i).start() + room) {
                end++;
            }
            if (end - i > last - first) {
                first = i;
                last = end;
            }
        }
        if (last < 0 || marks.get(last).end() < columns - 1) {
            return 0;
        }
        int from = marks.get(first).start();
        int space = text.indexOf(' ', Math.max(0, from - columns / BEFORE_SHARE));
        return space < 0 || space >= from ? from : space + 1;
    }

    private int length(int start, int end) {
        return Character.codePointCount(text, start, end);
    }

    private Snippet part(int start, int end, boolean isWithin) {
        String before = isWithin ? MORE : "";
        String part = before + text.substring(start, end).stripTrailing() + (end < text.length() ? MORE : "");
        List<TextRange> within = new ArrayList<>();
        for (TextRange mark : marks) {
            if (mark.start() >= start && mark.end() <= end) {
                int by = before.length() - start;
                within.add(new TextRange(mark.start() + by, mark.end() + by));
            }
        }
        return new Snippet(part, within);
    }

    /// The line for a terminal.
    ///
    /// @param bold whether the words of the query are marked
    String shown(boolean bold) {
        return bold ? BoldWords.of(text, marks) : text;
    }
}
