package io.github.sgpt4j;

/// How many of an encoder's texts were too long and were cut, since it was made.
///
/// @param texts texts, or pairs of a cross-encoder, that were computed
/// @param truncated those of them that were cut
/// @param longest token ids that the longest of those would have had, 0 if there is none
/// @param maxLength most token ids of a text or pair, which they were cut to
public record Truncation(long texts, long truncated, int longest, int maxLength) {
    /// This and more texts.
    ///
    /// @param tokens ids that each was computed with
    /// @param uncut ids that each would have had
    Truncation plus(int[] tokens, int[] uncut) {
        long more = 0;
        int most = longest;
        for (int i = 0; i < tokens.length; i++) {
            if (uncut[i] > tokens[i]) {
                more++;
                most = Math.max(most, uncut[i]);
            }
        }
        return new Truncation(texts + tokens.length, truncated + more, most, maxLength);
    }
}
