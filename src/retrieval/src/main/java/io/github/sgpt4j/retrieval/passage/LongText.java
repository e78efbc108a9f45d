package io.github.sgpt4j.retrieval.passage;

/// Finds how much of a text has at most so many tokens. The work grows with the length of what is found: no
/// text is counted as a whole.
final class LongText {
    /// Characters of a token that the first search begins with.
    private static final double USUAL_CHARACTERS = 4;

    /// A part with this share of the wanted tokens is long enough.
    private static final double ENOUGH = 0.85;

    /// The share of the tokens aimed at.
    private static final double AIM = 0.95;

    private static final int MAX_GROWTH = 4;
    private static final int MAX_TRIES = 24;

    private final String text;
    private final TokenCounter counter;
    private double characters = USUAL_CHARACTERS;

    /// @param counter without what is put around each text
    LongText(String text, TokenCounter counter) {
        this.text = text;
        this.counter = counter;
    }

    /// The end of a part that begins at a place and has at most so many tokens, at a good place to cut; at
    /// least one code point, even if that alone has more tokens.
    ///
    /// @param start below `limit`
    /// @param limit most that the end may be
    int end(int start, int limit, int tokens) {
        int longest = limit - start;
        int least = Character.charCount(text.codePointAt(start));
        int fits = 0;
        int tooLong = longest + 1;
        double wanted = tokens * characters;
        for (int i = 0; i < MAX_TRIES; i++) {
            int length = (int) Math.clamp(wanted, fits + 1, Math.max(fits + 1, tooLong - 1));
            length = Math.max(least, TextBoundaries.codePoint(text, start + length) - start);
            if (length <= fits || length >= tooLong) {
                break;
            }
            int counted = Math.max(1, counter.count(text.substring(start, start + length)));
            if (counted <= tokens) {
                fits = length;
                if (length == longest || counted >= ENOUGH * tokens) {
                    characters = (double) length / counted;
                    break;
                }
            } else {
                tooLong = length;
            }
            wanted = Math.min(AIM * tokens * length / counted, (double) MAX_GROWTH * length);
        }
        if (fits == longest) {
            return limit;
        }
        int end = TextBoundaries.before(text, start, start + fits);
        return end > start ? end : start + least;
    }
}
