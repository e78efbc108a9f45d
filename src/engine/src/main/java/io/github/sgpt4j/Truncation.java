package io.github.sgpt4j;

/// How many of an encoder's texts were too long and were cut, since the encoder was created.
///
/// @param texts number of computed texts, or pairs of a cross-encoder
/// @param truncated how many of them were cut
/// @param longest token ids of the longest cut text before cutting, 0 if none was cut
/// @param maxLength maximum token ids of a text or pair
public record Truncation(long texts, long truncated, int longest, int maxLength) {
    /// These counts plus those of more texts.
    ///
    /// @param tokens ids of each after cutting
    /// @param uncut ids of each before cutting
    Truncation plus(int[] tokens, int[] uncut) {
        long more = 0;
        int max = longest;
        for (int i = 0; i < tokens.length; i++) {
            if (uncut[i] > tokens[i]) {
                more++;
                max = Math.max(max, uncut[i]);
            }
        }
        return new Truncation(texts + tokens.length, truncated + more, max, maxLength);
    }
}
