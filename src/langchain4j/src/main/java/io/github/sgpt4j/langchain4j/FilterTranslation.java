package io.github.sgpt4j.langchain4j;

import dev.langchain4j.store.embedding.filter.comparison.ContainsString;
import dev.langchain4j.store.embedding.filter.comparison.IsEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThan;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsIn;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThan;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotIn;
import dev.langchain4j.store.embedding.filter.logical.And;
import dev.langchain4j.store.embedding.filter.logical.Not;
import dev.langchain4j.store.embedding.filter.logical.Or;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;

/// Filters of the framework as filters of an index.
///
/// Where a value has another type than the framework's filter compares it with, the framework's own
/// evaluation throws an exception; here the two are unequal, and neither is greater.
final class FilterTranslation {
    private FilterTranslation() {}

    /// @throws UnsupportedOperationException if the index has no such filter
    /// @throws IllegalArgumentException if a value cannot be that of a document, or the filter is too large
    ///     or too deep
    static Filter translate(dev.langchain4j.store.embedding.filter.Filter filter) {
        return translate(filter, 1);
    }

    private static Filter translate(dev.langchain4j.store.embedding.filter.Filter filter, int depth) {
        if (depth > Filter.MAX_DEPTH) {
            throw new IllegalArgumentException(
                    "filter: expected conditions nested at most %d deep, got more".formatted(Filter.MAX_DEPTH));
        }
        return switch (filter) {
            case And _ ->
                Filter.and(parts(
                        filter, f -> f instanceof And and ? List.of(and.left(), and.right()) : List.of(), depth + 1));
            case Or _ ->
                Filter.or(
                        parts(filter, f -> f instanceof Or or ? List.of(or.left(), or.right()) : List.of(), depth + 1));
            case Not not -> Filter.not(translate(not.expression(), depth + 1));
            case IsEqualTo is -> Filter.equal(is.key(), Segments.value(is.comparisonValue()));
            case IsNotEqualTo is -> Filter.notEqual(is.key(), Segments.value(is.comparisonValue()));
            case IsIn is -> Filter.in(is.key(), values(is.comparisonValues()));
            case IsNotIn is -> Filter.notIn(is.key(), values(is.comparisonValues()));
            default -> range(filter);
        };
    }

    private static Filter range(dev.langchain4j.store.embedding.filter.Filter filter) {
        return switch (filter) {
            case IsGreaterThan is -> Filter.greater(is.key(), bound(is.key(), is.comparisonValue()));
            case IsGreaterThanOrEqualTo is -> Filter.atLeast(is.key(), bound(is.key(), is.comparisonValue()));
            case IsLessThan is -> Filter.less(is.key(), bound(is.key(), is.comparisonValue()));
            case IsLessThanOrEqualTo is -> Filter.atMost(is.key(), bound(is.key(), is.comparisonValue()));
            case ContainsString contains ->
                throw new UnsupportedOperationException(
                        "filter on \"%s\": an index compares whole strings and cannot search within them (ContainsString)"
                                .formatted(contains.key()));
            default ->
                throw new UnsupportedOperationException("filter: expected comparisons joined by and, or and not, got "
                        + filter.getClass().getName());
        };
    }

    /// Everything that a chain of filters of one kind joins, in order; however long it is, it is not deep.
    ///
    /// @param joined the two sides of such a filter, nothing for others
    private static List<Filter> parts(
            dev.langchain4j.store.embedding.filter.Filter chain,
            Function<dev.langchain4j.store.embedding.filter.Filter, List<dev.langchain4j.store.embedding.filter.Filter>>
                    joined,
            int depth) {
        List<Filter> parts = new ArrayList<>();
        Deque<dev.langchain4j.store.embedding.filter.Filter> left = new ArrayDeque<>(List.of(chain));
        while (!left.isEmpty()) {
            dev.langchain4j.store.embedding.filter.Filter next = left.pop();
            List<dev.langchain4j.store.embedding.filter.Filter> sides = joined.apply(next);
            if (sides.isEmpty()) {
                parts.add(translate(next, depth));
            } else {
                sides.reversed().forEach(left::push);
            }
        }
        return parts;
    }

    private static List<Object> values(Collection<?> values) {
        return values.stream().map(value -> Segments.value(value)).toList();
    }

    private static Object bound(String key, Comparable<?> value) {
        if (value instanceof UUID) {
            throw new UnsupportedOperationException(
                    "filter on \"%s\": expected a number or string to compare with, got a UUID, which can only be equal"
                            .formatted(key));
        }
        return Segments.value(value);
    }
}
