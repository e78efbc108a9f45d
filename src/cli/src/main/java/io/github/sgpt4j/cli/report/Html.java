package io.github.sgpt4j.cli.report;

/// Writes HTML. Every text and every value of an attribute is escaped here, so that whatever a collection
/// contains is shown and never read as markup.
public final class Html {
    private final StringBuilder out = new StringBuilder();

    /// Opens an element.
    ///
    /// @param tag of this program, never of a file
    /// @param attributes names and values in turn; the names are of this program
    /// @throws IllegalArgumentException if a value is missing
    public Html open(String tag, Object... attributes) {
        if (attributes.length % 2 != 0) {
            throw new IllegalArgumentException(tag + ": expected names and values of attributes in turn");
        }
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            out.append(' ').append(attributes[i]).append("=\"");
            escape(String.valueOf(attributes[i + 1]));
            out.append('"');
        }
        out.append('>');
        return this;
    }

    /// Closes an element.
    public Html close(String tag) {
        out.append("</").append(tag).append(">\n");
        return this;
    }

    /// Adds text.
    public Html text(String text) {
        escape(text);
        return this;
    }

    /// Adds an element that contains text only.
    ///
    /// @param attributes names and values in turn
    public Html element(String tag, String text, Object... attributes) {
        return open(tag, attributes).text(text).close(tag);
    }

    /// Adds markup of this program, unchanged.
    Html raw(String markup) {
        out.append(markup);
        return this;
    }

    private void escape(String text) {
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.appendCodePoint(isAllowed(c) ? c : 0xFFFD);
            }
        });
    }

    /// Control characters and halves of surrogate pairs are not allowed in HTML.
    private static boolean isAllowed(int c) {
        return c == '\t' || c == '\n' || !Character.isISOControl(c) && !(c >= 0xD800 && c <= 0xDFFF);
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
