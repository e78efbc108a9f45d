package io.github.sgpt4j.retrieval.passage;

/// A part of a text.
///
/// @param start place of its first character, in UTF-16 code units as in [String], from 0
/// @param end place after its last character
public record TextRange(int start, int end) {
    /// @throws IllegalArgumentException unless `0 <= start <= end`
    public TextRange {
        if (start < 0 || end < start) {
            throw new IllegalArgumentException("range: expected 0 <= start <= end, got %d to %d".formatted(start, end));
        }
    }

    /// Number of UTF-16 code units.
    public int length() {
        return end - start;
    }

    /// The part of a text.
    ///
    /// @throws IndexOutOfBoundsException if the text is shorter
    public String of(String text) {
        return text.substring(start, end);
    }
}
