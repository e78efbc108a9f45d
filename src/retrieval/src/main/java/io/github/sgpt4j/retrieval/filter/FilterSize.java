package io.github.sgpt4j.retrieval.filter;

import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// Bounds how large and deep filters are.
final class FilterSize {
    private FilterSize() {}

    /// The single one of some filters, if there is no other.
    static Optional<Filter> only(Collection<? extends Filter> filters) {
        Objects.requireNonNull(filters, "filters");
        filters.forEach(filter -> Objects.requireNonNull(filter, "filters: expected filters, got null"));
        return filters.size() == 1 ? Optional.of(filters.iterator().next()) : Optional.empty();
    }

    static List<Filter> check(String word, List<Filter> filters) {
        Objects.requireNonNull(filters, "filters");
        if (filters.size() < 2) {
            throw new IllegalArgumentException(
                    "filter: \"%s\": expected at least 2 filters, got %d".formatted(word, filters.size()));
        }
        filters.forEach(filter -> Objects.requireNonNull(filter, "filters: expected filters, got null"));
        List<Filter> copy = List.copyOf(filters);
        int count = 1;
        for (Filter filter : copy) {
            count += checked(filter, 2);
            require(count);
        }
        return copy;
    }

    static void check(Filter filter) {
        Objects.requireNonNull(filter, "filter");
        require(1 + checked(filter, 2));
    }

    private static void require(int count) {
        if (count > Filter.MAX_FILTERS) {
            throw new IllegalArgumentException(
                    "filter: expected at most %,d conditions, got more".formatted(Filter.MAX_FILTERS));
        }
    }

    /// The number of filters within one.
    private static int checked(Filter filter, int depth) {
        if (depth > Filter.MAX_DEPTH) {
            throw new IllegalArgumentException(
                    "filter: expected conditions nested at most %d deep, got more".formatted(Filter.MAX_DEPTH));
        }
        return switch (filter) {
            case Filter.And(List<Filter> parts) -> 1 + sum(parts, depth);
            case Filter.Or(List<Filter> parts) -> 1 + sum(parts, depth);
            case Filter.Not(Filter part) -> 1 + checked(part, depth + 1);
            case Filter.Equal _, Filter.In _, Filter.Range _ -> 1;
        };
    }

    private static int sum(List<Filter> parts, int depth) {
        return parts.stream().mapToInt(part -> checked(part, depth + 1)).sum();
    }

    /// Adds the kinds of the values that a filter has, by name.
    static void collectKinds(Filter filter, Map<String, Set<ValueKind>> kinds) {
        switch (filter) {
            case Filter.And(List<Filter> parts) -> parts.forEach(part -> collectKinds(part, kinds));
            case Filter.Or(List<Filter> parts) -> parts.forEach(part -> collectKinds(part, kinds));
            case Filter.Not(Filter part) -> collectKinds(part, kinds);
            case Filter.Equal(String name, Object value) -> add(name, value, kinds);
            case Filter.In(String name, List<Object> values) -> values.forEach(value -> add(name, value, kinds));
            case Filter.Range(String name, Filter.Side _, Object bound) -> add(name, bound, kinds);
        }
    }

    private static void add(String name, Object value, Map<String, Set<ValueKind>> kinds) {
        kinds.computeIfAbsent(name, _ -> EnumSet.noneOf(ValueKind.class)).add(ValueKind.of(value));
    }
}
