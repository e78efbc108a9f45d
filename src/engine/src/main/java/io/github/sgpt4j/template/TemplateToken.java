package io.github.sgpt4j.template;

/// A piece of a template's text.
///
/// @param kind what it is
/// @param text its text; of a string literal, its value
/// @param line where it begins, from 1
record TemplateToken(Kind kind, String text, int line) {
    enum Kind {
        /// Text outside of tags.
        DATA,
        VARIABLE_BEGIN,
        VARIABLE_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind other, String expected) {
        return kind == other && text.equals(expected);
    }

    /// For messages.
    String shown() {
        return switch (kind) {
            case DATA -> "text";
            case STRING -> "a string";
            case VARIABLE_BEGIN -> "{{";
            case VARIABLE_END -> "}}";
            case BLOCK_BEGIN -> "{%";
            case BLOCK_END -> "%}";
            case END -> "the end";
            case NAME, INTEGER, FLOAT, OPERATOR -> "\"" + text + "\"";
        };
    }
}
