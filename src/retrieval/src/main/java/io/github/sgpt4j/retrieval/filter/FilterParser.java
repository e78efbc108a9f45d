package io.github.sgpt4j.retrieval.filter;

import io.github.sgpt4j.retrieval.filter.FilterWords.Kind;
import io.github.sgpt4j.retrieval.filter.FilterWords.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/// Reads a filter's text. The language is described at [Filter].
final class FilterParser {
    // Possessive: a long text takes time in proportion to its length.
    private static final Pattern WHOLE = Pattern.compile("[-+]?[0-9]++");
    private static final Pattern DECIMAL = Pattern.compile("[-+]?([0-9]++\\.?[0-9]*+|\\.[0-9]++)([eE][-+]?[0-9]++)?");
    private static final String OPERATORS = "=, !=, <, <=, >, >=, in or not in";

    /// Each filter may be in parentheses after a `not`.
    private static final int MAX_NESTING = 2 * Filter.MAX_DEPTH;

    private final FilterWords words;
    private Token token;
    private int nesting;

    FilterParser(String text) {
        if (text.length() > Filter.MAX_CHARACTERS) {
            throw new IllegalArgumentException(
                    "filter: expected at most %,d characters, got %,d".formatted(Filter.MAX_CHARACTERS, text.length()));
        }
        words = new FilterWords(text);
        token = words.next();
    }

    Filter parse() {
        Filter filter = or();
        if (token.kind() != Kind.END) {
            throw wrong("\"and\", \"or\" or the end");
        }
        return filter;
    }

    private Filter or() {
        return chain("or", this::and, Filter::or);
    }

    private Filter and() {
        return chain("and", this::negation, Filter::and);
    }

    private Filter chain(String word, Supplier<Filter> part, Function<List<Filter>, Filter> join) {
        int column = token.column();
        List<Filter> parts = new ArrayList<>();
        parts.add(part.get());
        while (isKeyword(word)) {
            advance();
            parts.add(part.get());
        }
        return at(column, () -> join.apply(parts));
    }

    private Filter negation() {
        if (isKeyword("not")) {
            int column = token.column();
            advance();
            Filter negated = nested(column, this::negation);
            return at(column, () -> Filter.not(negated));
        }
        if (isSymbol("(")) {
            int column = token.column();
            advance();
            Filter filter = nested(column, this::or);
            if (!isSymbol(")")) {
                throw wrong("\"and\", \"or\" or \")\"");
            }
            advance();
            return filter;
        }
        return comparison();
    }

    private Filter nested(int column, Supplier<Filter> part) {
        nesting++;
        if (nesting > MAX_NESTING) {
            throw FilterWords.wrong(
                    column, "at most %d levels of \"not\" and parentheses".formatted(MAX_NESTING), "more");
        }
        Filter filter = part.get();
        nesting--;
        return filter;
    }

    private Filter comparison() {
        Token name = token;
        if (name.kind() == Kind.KEYWORD) {
            throw FilterWords.wrong(
                    name.column(),
                    "a name",
                    "the keyword %s, which as a name stands in backticks".formatted(name.shown()));
        }
        if (name.kind() != Kind.NAME) {
            throw wrong("a name, \"not\" or \"(\"");
        }
        advance();
        if (isKeyword("in")) {
            advance();
            List<Object> values = values();
            return at(name.column(), () -> Filter.in(name.text(), values));
        }
        if (isKeyword("not")) {
            advance();
            if (!isKeyword("in")) {
                throw wrong("\"in\" after \"not\"");
            }
            advance();
            List<Object> values = values();
            return at(name.column(), () -> Filter.notIn(name.text(), values));
        }
        BiFunction<String, Object, Filter> operator = operator();
        Token place = token;
        Object value = value();
        return at(place.column(), () -> operator.apply(name.text(), value));
    }

    private BiFunction<String, Object, Filter> operator() {
        if (token.kind() != Kind.SYMBOL) {
            throw wrong(OPERATORS);
        }
        BiFunction<String, Object, Filter> operator = switch (token.text()) {
            case "=", "==" -> Filter::equal;
            case "!=" -> Filter::notEqual;
            case "<" -> Filter::less;
            case "<=" -> Filter::atMost;
            case ">" -> Filter::greater;
            case ">=" -> Filter::atLeast;
            default -> throw wrong(OPERATORS);
        };
        advance();
        return operator;
    }

    private List<Object> values() {
        if (!isSymbol("(")) {
            throw wrong("\"(\" after \"in\"");
        }
        List<Object> values = new ArrayList<>();
        do {
            advance();
            values.add(value());
        } while (isSymbol(","));
        if (!isSymbol(")")) {
            throw wrong("\",\" or \")\"");
        }
        advance();
        return values;
    }

    private Object value() {
        Object value = switch (token.kind()) {
            case STRING -> token.text();
            case NUMBER -> number();
            case KEYWORD -> truth();
            case NAME -> throw wrong("a value: a number, true, false, or a string in quotes");
            case SYMBOL, END -> throw wrong("a value");
        };
        advance();
        return value;
    }

    private Object truth() {
        return switch (token.text()) {
            case "true" -> true;
            case "false" -> false;
            default -> throw wrong("a value");
        };
    }

    private Object number() {
        try {
            if (WHOLE.matcher(token.text()).matches()) {
                return Long.parseLong(token.text());
            }
        } catch (NumberFormatException e) {
            throw wrong("a whole number of 64 bits");
        }
        if (!DECIMAL.matcher(token.text()).matches()) {
            throw wrong("a number (a date or version is a string, in quotes)");
        }
        return Double.parseDouble(token.text());
    }

    /// Adds the place to what is wrong with a filter.
    private static Filter at(int column, Supplier<Filter> filter) {
        try {
            return filter.get();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage()).replaceFirst("^filter: ", "");
            throw new IllegalArgumentException("filter: column %d: %s".formatted(column, message), e);
        }
    }

    private boolean isKeyword(String word) {
        return token.kind() == Kind.KEYWORD && token.text().equals(word);
    }

    private boolean isSymbol(String symbol) {
        return token.kind() == Kind.SYMBOL && token.text().equals(symbol);
    }

    private void advance() {
        token = words.next();
    }

    private IllegalArgumentException wrong(String expected) {
        return FilterWords.wrong(token.column(), expected, token.shown());
    }
}
