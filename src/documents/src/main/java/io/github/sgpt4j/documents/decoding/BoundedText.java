package io.github.sgpt4j.documents.decoding;

/// A text that grows up to a limit.
public final class BoundedText {
    private final StringBuilder text = new StringBuilder();
    private final int limit;

    /// @param limit in characters
    public BoundedText(int limit) {
        this.limit = limit;
    }

    /// @throws FileProblem if the text is longer than allowed
    public BoundedText append(CharSequence part) throws FileProblem {
        if (part.length() > limit - text.length()) {
            throw tooLong(limit);
        }
        text.append(part);
        return this;
    }

    /// Ends a line, without the space at its end, unless nothing was written on it.
    ///
    /// @throws FileProblem if the text is longer than allowed
    public BoundedText endLine() throws FileProblem {
        while (!text.isEmpty() && text.charAt(text.length() - 1) == ' ') {
            text.setLength(text.length() - 1);
        }
        return text.isEmpty() || text.charAt(text.length() - 1) == '\n' ? this : append("\n");
    }

    /// Adds a space, unless there is space already.
    ///
    /// @throws FileProblem if the text is longer than allowed
    public BoundedText space() throws FileProblem {
        return text.isEmpty() || Character.isWhitespace(text.charAt(text.length() - 1)) ? this : append(" ");
    }

    /// The failure of a text that is too long.
    public static FileProblem tooLong(int limit) {
        return new FileProblem("expected at most %,d characters of text, got more".formatted(limit));
    }

    /// The text, without space at either end.
    @Override
    public String toString() {
        return text.toString().strip();
    }
}
