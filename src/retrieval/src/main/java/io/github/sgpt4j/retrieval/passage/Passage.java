package io.github.sgpt4j.retrieval.passage;

import java.util.Objects;

/// The part of a document that matched.
///
/// @param range place in the document's text, without its title, in UTF-16 code units
/// @param text of that part
public record Passage(TextRange range, String text) {
    /// Refuses null.
    public Passage {
        Objects.requireNonNull(range, "range");
        Objects.requireNonNull(text, "text");
    }

    /// A part of a document's text.
    ///
    /// @throws IndexOutOfBoundsException if the text is shorter
    public static Passage of(String text, TextRange range) {
        return new Passage(range, range.of(text));
    }

    /// The place in code points, as Python and tokenizers count it.
    ///
    /// @param whole the document's text
    public TextRange codePoints(String whole) {
        int start = whole.codePointCount(0, range.start());
        return new TextRange(start, start + text.codePointCount(0, text.length()));
    }

    /// A text as a whole.
    public static Passage whole(String text) {
        return new Passage(new TextRange(0, text.length()), text);
    }
}
