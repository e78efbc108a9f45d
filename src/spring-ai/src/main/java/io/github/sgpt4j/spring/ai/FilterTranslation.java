package io.github.sgpt4j.spring.ai;

import io.github.sgpt4j.retrieval.filter.Filter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.vectorstore.filter.Filter.Expression;
import org.springframework.ai.vectorstore.filter.Filter.Group;
import org.springframework.ai.vectorstore.filter.Filter.Key;
import org.springframework.ai.vectorstore.filter.Filter.Operand;
import org.springframework.ai.vectorstore.filter.Filter.Value;

/// Filter expressions of Spring AI as filters of an index.
final class FilterTranslation {
    private FilterTranslation() {}

    /// @throws IllegalArgumentException if an operand is of an unexpected kind, or a value of a class that
    ///     metadata cannot have
    static Filter of(Expression expression) {
        return switch (expression.type()) {
            case AND -> Filter.and(conditions(expression));
            case OR -> Filter.or(conditions(expression));
            case NOT -> Filter.not(condition(expression.left()));
            case EQ -> Filter.equal(name(expression), value(expression));
            case NE -> Filter.notEqual(name(expression), value(expression));
            case GT -> Filter.greater(name(expression), value(expression));
            case GTE -> Filter.atLeast(name(expression), value(expression));
            case LT -> Filter.less(name(expression), value(expression));
            case LTE -> Filter.atMost(name(expression), value(expression));
            case IN -> Filter.in(name(expression), values(expression));
            case NIN -> Filter.notIn(name(expression), values(expression));
            case ISNOTNULL -> present(name(expression));
            case ISNULL -> Filter.not(present(name(expression)));
        };
    }

    /// What a row of `AND` or `OR` joins, in order. Spring AI joins two at a time, and so nests long rows deeply.
    private static List<Filter> conditions(Expression row) {
        List<Filter> conditions = new ArrayList<>();
        Deque<Optional<Operand>> waiting = new ArrayDeque<>();
        waiting.push(Optional.of(row));
        while (!waiting.isEmpty()) {
            @Nullable Operand next = waiting.pop().orElse(null);
            if (next instanceof Expression inner && inner.type() == row.type()) {
                waiting.push(Optional.ofNullable(inner.right()));
                waiting.push(Optional.ofNullable(inner.left()));
            } else {
                conditions.add(condition(next));
            }
        }
        return conditions;
    }

    private static Filter condition(@Nullable Operand operand) {
        return switch (operand) {
            case Expression inner -> of(inner);
            case Group group -> of(group.content());
            case null, default -> throw unexpected("a condition", operand);
        };
    }

    /// Holds for a value of any kind: strings from the empty one on, all finite numbers, both booleans.
    private static Filter present(String name) {
        return Filter.or(
                Filter.atLeast(name, ""),
                Filter.atLeast(name, -Double.MAX_VALUE),
                Filter.in(name, List.of(false, true)));
    }

    private static String name(Expression expression) {
        if (expression.left() instanceof Key(String key)) {
            return unquoted(key);
        }
        throw unexpected("a key left of " + expression.type(), expression.left());
    }

    /// Spring AI's parser keeps the quotes around a key.
    private static String unquoted(String key) {
        boolean quoted = key.length() > 1
                && (key.charAt(0) == '"' || key.charAt(0) == '\'')
                && key.charAt(key.length() - 1) == key.charAt(0);
        return quoted ? key.substring(1, key.length() - 1) : key;
    }

    private static Object value(Expression expression) {
        if (expression.right() instanceof Value(Object value)
                && MetadataNumbers.widened(value) instanceof Object number) {
            return number;
        }
        throw unexpected("a value right of " + expression.type(), expression.right());
    }

    private static Collection<?> values(Expression expression) {
        if (value(expression) instanceof Collection<?> values) {
            return values;
        }
        throw unexpected("a list right of " + expression.type(), expression.right());
    }

    private static IllegalArgumentException unexpected(String expected, @Nullable Operand operand) {
        return new IllegalArgumentException("filter: expected %s, got %s".formatted(expected, operand));
    }
}
