package io.github.sgpt4j.retrieval.filter;

import java.util.List;
import java.util.stream.Collectors;

/// Writes filters as texts that [FilterParser] reads.
final class FilterText {
    static final String AND = " and ";
    static final String OR = " or ";

    /// Characters of a control character.
    private static final int ESCAPED = 6;

    private FilterText() {}

    /// @param length of the text of a filter to be made
    /// @throws IllegalArgumentException if it could not be read
    static void requireReadable(long length) {
        if (length > Filter.MAX_CHARACTERS) {
            throw new IllegalArgumentException("filter: expected at most %,d characters as text, got %,d"
                    .formatted(Filter.MAX_CHARACTERS, length));
        }
    }

    /// Characters of [#of].
    private static long length(Filter filter) {
        return switch (filter) {
            case Filter.And(List<Filter> parts) -> joinedLength(parts, AND);
            case Filter.Or(List<Filter> parts) -> joinedLength(parts, OR);
            case Filter.Not(Filter part) -> negatedLength(part);
            case Filter.Equal(String name, Object value) -> nameLength(name) + " = ".length() + valueLength(value);
            case Filter.In(String name, List<Object> values) -> inLength(name, values);
            case Filter.Range(String name, Filter.Side side, Object bound) ->
                nameLength(name) + symbol(side).length() + 2 + valueLength(bound);
        };
    }

    /// Characters of filters with a word between each two.
    static long joinedLength(List<Filter> parts, String word) {
        long length = (long) word.length() * (parts.size() - 1);
        for (Filter part : parts) {
            length += length(part) + (isJoined(part) ? "()".length() : 0);
        }
        return length;
    }

    /// Characters of a filter's negation.
    static long negatedLength(Filter part) {
        return switch (part) {
            case Filter.Equal _ -> length(part) + " != ".length() - " = ".length();
            case Filter.In _ -> length(part) + "not ".length();
            default -> length(part) + "not ()".length();
        };
    }

    /// Characters of an `in`.
    static long inLength(String name, List<Object> values) {
        long list = values instanceof ValueList known
                ? known.characters()
                : values.stream().mapToLong(FilterText::valueLength).sum();
        return nameLength(name) + " in ()".length() + list + (long) ", ".length() * (values.size() - 1);
    }

    private static long nameLength(String name) {
        return FilterWords.isPlainName(name) ? name.length() : quotedLength(name, '`');
    }

    static long valueLength(Object value) {
        return value instanceof String text
                ? quotedLength(text, '"')
                : value.toString().length();
    }

    private static long quotedLength(String text, char quote) {
        long length = 2;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            length += c == quote || c == '\\' ? 2 : Character.isISOControl(c) ? ESCAPED : 1;
        }
        return length;
    }

    static String of(Filter filter) {
        return switch (filter) {
            case Filter.And(List<Filter> parts) -> joined(parts, AND);
            case Filter.Or(List<Filter> parts) -> joined(parts, OR);
            case Filter.Not(Filter.Equal(String name, Object value)) -> name(name) + " != " + value(value);
            case Filter.Not(Filter.In(String name, List<Object> values)) -> name(name) + " not in " + list(values);
            case Filter.Not(Filter part) -> "not (" + of(part) + ")";
            case Filter.Equal(String name, Object value) -> name(name) + " = " + value(value);
            case Filter.In(String name, List<Object> values) -> name(name) + " in " + list(values);
            case Filter.Range(String name, Filter.Side side, Object bound) ->
                "%s %s %s".formatted(name(name), symbol(side), value(bound));
        };
    }

    private static String joined(List<Filter> parts, String word) {
        return parts.stream().map(FilterText::part).collect(Collectors.joining(word));
    }

    private static String part(Filter filter) {
        return isJoined(filter) ? "(" + of(filter) + ")" : of(filter);
    }

    private static boolean isJoined(Filter filter) {
        return filter instanceof Filter.And || filter instanceof Filter.Or;
    }

    private static String symbol(Filter.Side side) {
        return switch (side) {
            case GREATER -> ">";
            case AT_LEAST -> ">=";
            case LESS -> "<";
            case AT_MOST -> "<=";
        };
    }

    private static String list(List<Object> values) {
        return values.stream().map(FilterText::value).collect(Collectors.joining(", ", "(", ")"));
    }

    private static String value(Object value) {
        return value instanceof String text ? quoted(text, '"') : value.toString();
    }

    private static String name(String name) {
        return FilterWords.isPlainName(name) ? name : quoted(name, '`');
    }

    private static String quoted(String text, char quote) {
        StringBuilder quoted = new StringBuilder().append(quote);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == quote || c == '\\') {
                quoted.append('\\').append(c);
            } else if (Character.isISOControl(c)) {
                quoted.append("\\u%04x".formatted((int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append(quote).toString();
    }
}
