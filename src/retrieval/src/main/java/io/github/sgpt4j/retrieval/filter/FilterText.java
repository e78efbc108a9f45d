package io.github.sgpt4j.retrieval.filter;

import java.util.List;
import java.util.stream.Collectors;

/// Writes filters as texts that [FilterParser] reads.
final class FilterText {
    private FilterText() {}

    static String of(Filter filter) {
        return switch (filter) {
            case Filter.And(List<Filter> parts) -> joined(parts, " and ");
            case Filter.Or(List<Filter> parts) -> joined(parts, " or ");
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
        return filter instanceof Filter.And || filter instanceof Filter.Or ? "(" + of(filter) + ")" : of(filter);
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
