package io.github.sgpt4j.retrieval.passage;

import java.text.BreakIterator;
import java.util.Locale;

/// Places in a text where it may be cut.
final class TextBoundaries {
    /// Characters looked at for the end of a word, or of what people see as one character.
    private static final int WINDOW = 256;

    private TextBoundaries() {}

    /// A place, or the one before if it is within a surrogate pair.
    static int codePoint(String text, int place) {
        boolean within = place > 0
                && place < text.length()
                && Character.isLowSurrogate(text.charAt(place))
                && Character.isHighSurrogate(text.charAt(place - 1));
        return within ? place - 1 : place;
    }

    /// The last good place to cut in the second half of a part: after a line, else after white space, else
    /// after a word of a script without white space, else between what people see as characters, else
    /// between code points.
    ///
    /// @param end of the longest part that is wanted
    /// @return more than `start`, at most `end`, if a code point fits
    static int before(String text, int start, int end) {
        if (end >= text.length()) {
            return text.length();
        }
        int half = start + (end - start) / 2;
        int space = -1;
        for (int i = end; i > half; i--) {
            char c = text.charAt(i - 1);
            if (c == '\n' || c == '\r' && text.charAt(i) != '\n') {
                return i;
            }
            if (space < 0 && Character.isWhitespace(c) && c != '\r') {
                space = i;
            }
        }
        if (space >= 0) {
            return space;
        }
        int word = last(BreakIterator.getWordInstance(Locale.ROOT), text, half, end);
        int character = word > half ? word : last(BreakIterator.getCharacterInstance(Locale.ROOT), text, half, end);
        return character > half ? character : Math.max(codePoint(text, end), start);
    }

    /// The last boundary in a part, or its start.
    private static int last(BreakIterator boundaries, String text, int from, int end) {
        int start = codePoint(text, Math.max(from, end - WINDOW));
        String around = text.substring(start, codePoint(text, Math.min(text.length(), end + WINDOW)));
        boundaries.setText(around);
        int place = boundaries.isBoundary(end - start) ? end - start : boundaries.preceding(end - start);
        return start + Math.max(0, place);
    }
}
