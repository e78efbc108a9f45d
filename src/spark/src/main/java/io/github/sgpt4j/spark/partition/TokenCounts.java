package io.github.sgpt4j.spark.partition;

/// How many inputs of a partition were too long for the model and were cut.
///
/// @param inputs number of computed texts or pairs so far
/// @param cut how many of them were cut
/// @param longest token ids of the longest one that was cut, before cutting; 0 if none was
/// @param maxLength maximum token ids; 0 as long as nothing was computed
public record TokenCounts(long inputs, long cut, int longest, int maxLength) {
    static final TokenCounts NONE = new TokenCounts(0, 0, 0, 0);

    TokenCounts plus(boolean truncated, int uncut, int maximum) {
        return new TokenCounts(
                inputs + 1, truncated ? cut + 1 : cut, truncated ? Math.max(longest, uncut) : longest, maximum);
    }

    /// For example `3 of 200 inputs were cut to 300 tokens (the longest had 512)`.
    @Override
    public String toString() {
        return "%d of %d inputs were cut to %d tokens (the longest had %d)".formatted(cut, inputs, maxLength, longest);
    }
}
