package io.github.sgpt4j.retrieval.passage;

import java.text.BreakIterator;
import java.util.Locale;

/// Finds where sentences end, by Unicode's rules as [BreakIterator] knows them, and where lines are blank. A
/// text without ends is taken in parts, so that the work grows with its length only.
final class Sentences {
    /// Characters looked at together: more than almost any sentence has.
    private static final int WINDOW = 1 << 14;

    private final String text;
    private final BreakIterator ends = BreakIterator.getSentenceInstance(Locale.ROOT);
    private int windowStart;
    private int windowEnd;
    private int sentenceEnd;
    private int position;

    Sentences(String text) {
        this.text = text;
    }

    /// The end of the next sentence with the white space after it, or the length of the text. Never within a
    /// surrogate pair.
    int next() {
        if (position == sentenceEnd && position < text.length()) {
            sentenceEnd = sentenceEnd();
        }
        position = blankLine(position, sentenceEnd);
        return position;
    }

    private int sentenceEnd() {
        int end = position == windowEnd ? look() : windowStart + ends.next();
        // At the end of a window the sentence may go on.
        return end == windowEnd && windowEnd < text.length() && position > windowStart ? look() : end;
    }

    /// Begins a window at the position, and finds its first end.
    private int look() {
        windowStart = position;
        windowEnd = TextBoundaries.codePoint(text, Math.min(text.length(), windowStart + WINDOW));
        ends.setText(text.substring(windowStart, windowEnd));
        return windowStart + ends.next();
    }

    /// The place after a blank line, where a paragraph ends, or `to`.
    private int blankLine(int from, int to) {
        boolean ended = false;
        boolean blank = false;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r' && !(i + 1 < to && text.charAt(i + 1) == '\n')) {
                blank |= ended;
                ended = true;
            } else if (!Character.isWhitespace(c)) {
                if (blank) {
                    return i;
                }
                ended = false;
            }
        }
        return to;
    }
}
