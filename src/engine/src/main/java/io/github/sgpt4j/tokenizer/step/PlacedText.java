package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.collection.IntList;
import io.github.sgpt4j.tokenizer.pattern.Splitter;

/// A text whose characters know where they come from, like `tokenizers::NormalizedString`: for each
/// character of the text, as it is after some steps, a range of code points of the original text.
/// Starts never decrease, neither do ends. Immutable.
///
/// A character that a step inserts has the range of the character before it, or of the one it is put
/// in front of. A character that replaces several has the range of the first of them, as in the
/// reference: what Unicode composition absorbs belongs to no character.
public final class PlacedText {
    private final String text;
    /// For each UTF-16 unit, the first code point of its range, and the one after the last.
    private final int[] starts;
    private final int[] ends;
    /// Where the original of this text begins, in code points.
    private final int origin;

    private PlacedText(String text, int[] starts, int[] ends, int origin) {
        this.text = text;
        this.starts = starts;
        this.ends = ends;
        this.origin = origin;
    }

    /// An original text, or a part of one: each code point has its own range.
    ///
    /// @param text well-formed
    /// @param origin the index of its first code point
    public static PlacedText original(String text, int origin) {
        int[] starts = new int[text.length()];
        int[] ends = new int[text.length()];
        int codePoint = origin;
        for (int i = 0; i < text.length(); ) {
            int next = i + Character.charCount(text.codePointAt(i));
            for (; i < next; i++) {
                starts[i] = codePoint;
                ends[i] = codePoint + 1;
            }
            codePoint++;
        }
        return new PlacedText(text, starts, ends, origin);
    }

    public String text() {
        return text;
    }

    /// The first original code point of the character at `index`.
    public int start(int index) {
        return starts[index];
    }

    /// The original code point after the last one of the character at `index`.
    public int end(int index) {
        return ends[index];
    }

    /// The part `text[from, to)`, not empty.
    PlacedText slice(int from, int to) {
        if (from == 0 && to == text.length()) {
            return new PlacedText(text, starts, ends, starts[0]);
        }
        Builder part = new Builder(to - from);
        part.copy(this, from, to);
        return part.build(starts[from]);
    }

    /// The same without what lies outside `text[from, to)`.
    PlacedText stripped(int from, int to) {
        Builder rest = new Builder(to - from);
        rest.copy(this, from, to);
        return rest.build(origin);
    }

    /// The same after a prefix, which has the range of the first character; an empty text stays empty.
    PlacedText prepended(String prefix) {
        if (text.isEmpty() || prefix.isEmpty()) {
            return this;
        }
        Builder result = new Builder(prefix.length() + text.length());
        result.append(prefix, starts[0], ends[0]);
        result.copy(this, 0, text.length());
        return result.build(origin);
    }

    /// Replaces every match as [Splitter#replace] does. The content has the range of the last character
    /// of the match, or of the character before an empty match. An empty match before the first character
    /// has none: its content has an empty range there. (The reference repeats such content, so that its
    /// ids are others as well.)
    PlacedText replaced(Splitter pattern, String content, Growth growth) {
        if (text.isEmpty()) {
            return this;
        }
        Splitter.Scan scan = pattern.scan(text);
        Builder result = new Builder(text.length());
        int done = 0;
        while (scan.next()) {
            result.copy(this, done, scan.start());
            done = scan.end();
            result.append(content, done > 0 ? starts[done - 1] : origin, done > 0 ? ends[done - 1] : origin);
            growth.check(text.length(), result.text.length());
        }
        result.copy(this, done, text.length());
        return result.build(origin);
    }

    /// The bytes of the text as characters of the byte-level alphabet; each has the range of its
    /// character.
    PlacedText bytes() {
        Builder result = new Builder(text.length());
        for (int i = 0; i < text.length(); ) {
            int next = i + Character.charCount(text.codePointAt(i));
            result.append(ByteLevelAlphabet.encode(text.substring(i, next)), starts[i], ends[i]);
            i = next;
        }
        return result.build(origin);
    }

    /// The text of other code points, each with its number of code points of this text that are
    /// absorbed: 1 or more if the code point replaces as many, which gives it the range of the first of
    /// them; 0 or less if it is inserted after the previous ones.
    ///
    /// @param codePoints the new text
    /// @param absorbed for each new code point; the positive ones add up to this text's code points
    PlacedText changed(IntList codePoints, IntList absorbed) {
        Builder result = new Builder(codePoints.size());
        int at = 0;
        for (int i = 0; i < codePoints.size(); i++) {
            int count = absorbed.get(i);
            int from = count > 0 ? at : at - 1;
            result.append(codePoints.get(i), from < 0 ? origin : starts[from], from < 0 ? origin : ends[from]);
            if (count > 0) {
                at = text.offsetByCodePoints(at, count);
            }
        }
        return result.build(origin);
    }

    private static final class Builder {
        private final StringBuilder text;
        private final IntList starts;
        private final IntList ends;

        Builder(int capacity) {
            text = new StringBuilder(capacity);
            starts = new IntList(capacity);
            ends = new IntList(capacity);
        }

        void copy(PlacedText source, int from, int to) {
            text.append(source.text, from, to);
            for (int i = from; i < to; i++) {
                starts.add(source.starts[i]);
                ends.add(source.ends[i]);
            }
        }

        void append(String more, int start, int end) {
            text.append(more);
            place(start, end);
        }

        void append(int codePoint, int start, int end) {
            text.appendCodePoint(codePoint);
            place(start, end);
        }

        private void place(int start, int end) {
            while (starts.size() < text.length()) {
                starts.add(start);
                ends.add(end);
            }
        }

        PlacedText build(int origin) {
            return new PlacedText(text.toString(), starts.toArray(), ends.toArray(), origin);
        }
    }
}
