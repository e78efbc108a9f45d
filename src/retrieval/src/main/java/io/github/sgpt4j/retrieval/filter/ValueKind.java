package io.github.sgpt4j.retrieval.filter;

import java.util.List;

/// What values of metadata are. Values of different kinds are never equal, less or greater.
public enum ValueKind {
    /// `true` or `false`.
    BOOLEAN("a boolean", "true and false stand without quotes"),
    /// A whole or floating-point number.
    NUMBER("a number", "numbers stand without quotes"),
    /// A text.
    STRING("a string", "strings stand in quotes");

    private final String shown;
    private final String writing;

    ValueKind(String shown, String writing) {
        this.shown = shown;
        this.writing = writing;
    }

    /// The kind of a value, or of the elements of a list.
    ///
    /// @param value of metadata or of a filter
    public static ValueKind of(Object value) {
        return switch (value) {
            case List<?> values -> of(values.getFirst());
            case Boolean _ -> BOOLEAN;
            case Number _ -> NUMBER;
            default -> STRING;
        };
    }

    /// How a filter's text has values of this kind.
    String writing() {
        return writing;
    }

    /// With an article, for messages: `a number`.
    @Override
    public String toString() {
        return shown;
    }
}
