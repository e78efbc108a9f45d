package io.github.sgpt4j.retrieval.filter;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// A condition on a document's metadata, such as `year >= 2020 and lang = "en"`.
///
/// - A comparison holds if it holds for the value of that name or, if the value is a list, for any of
///   its elements. It does not hold for a document without the name.
/// - `!=` and `not in` hold exactly where `=` and `in` do not, also for documents without the name.
/// - Values of different kinds are never equal, less or greater: the string `"1"` is not the number 1.
/// - Numbers compare by their exact values, whether whole or not: `1 = 1.0`, and 2^53 is less than
///   2^53 + 1.
/// - Strings compare by their Unicode code points, which is the order of time for ISO dates such as
///   `2024-05-17`. Upper and lower case differ.
/// - Booleans can only be equal or not.
///
/// As text, `and` binds stronger than `or`, and `not` than both. Names consist of letters, digits, `_`,
/// `.` and `-`, and begin with a letter or `_`; others stand in backticks. Strings stand in double or
/// single quotes; after a backslash come a quote, a backtick, a backslash, `n`, `r`, `t`, or `u` and four
/// hexadecimal digits. Numbers with a point or an exponent are 64-bit floating-point numbers, others
/// 64-bit whole numbers. Words of the language may have upper and lower case; as names, they stand in
/// backticks.
public sealed interface Filter {
    /// Most characters of a filter's text. A filter whose text would be longer is refused, however it is made,
    /// so that every filter can be read from its text.
    int MAX_CHARACTERS = 1 << 24;

    /// How deep filters may contain each other.
    int MAX_DEPTH = 64;

    /// Most filters within one, itself counted.
    int MAX_FILTERS = 4096;

    /// Most values of one `in`.
    int MAX_VALUES = 65_536;

    /// Longest string, in bytes of UTF-8, that others are compared with by `<`, `<=`, `>` or `>=`. Strings
    /// of documents may be longer.
    int MAX_BOUND_BYTES = 4096;

    /// Whether documents with these metadata are found.
    boolean matches(Metadata metadata);

    /// Holds where all of several do.
    ///
    /// @param filters at least two
    record And(List<Filter> filters) implements Filter {
        /// Keeps a copy of the list.
        ///
        /// @throws IllegalArgumentException if there are fewer than two, too many, they are nested too deep, or
        ///     the text would be too long
        public And {
            filters = FilterSize.check("and", filters);
            FilterText.requireReadable(FilterText.joinedLength(filters, FilterText.AND));
        }

        @Override
        public boolean matches(Metadata metadata) {
            return filters.stream().allMatch(filter -> filter.matches(metadata));
        }

        @Override
        public String toString() {
            return FilterText.of(this);
        }
    }

    /// Holds where any of several does.
    ///
    /// @param filters at least two
    record Or(List<Filter> filters) implements Filter {
        /// Keeps a copy of the list.
        ///
        /// @throws IllegalArgumentException if there are fewer than two, too many, they are nested too deep, or
        ///     the text would be too long
        public Or {
            filters = FilterSize.check("or", filters);
            FilterText.requireReadable(FilterText.joinedLength(filters, FilterText.OR));
        }

        @Override
        public boolean matches(Metadata metadata) {
            return filters.stream().anyMatch(filter -> filter.matches(metadata));
        }

        @Override
        public String toString() {
            return FilterText.of(this);
        }
    }

    /// Holds where another does not.
    record Not(Filter filter) implements Filter {
        /// @throws IllegalArgumentException if filters are nested too deep, or the text would be too long
        public Not {
            FilterSize.check(filter);
            FilterText.requireReadable(FilterText.negatedLength(filter));
        }

        @Override
        public boolean matches(Metadata metadata) {
            return !filter.matches(metadata);
        }

        @Override
        public String toString() {
            return FilterText.of(this);
        }
    }

    /// Holds where a name has a value.
    ///
    /// @param value a [String], [Long], [Double] or [Boolean]; the classes that [Metadata#of] accepts
    ///     become one of these
    record Equal(String name, Object value) implements Filter {
        /// @throws IllegalArgumentException if name or value cannot be a document's
        public Equal {
            value = Values.check(name, value);
        }

        @Override
        public boolean matches(Metadata metadata) {
            return Values.any(metadata, name, other -> Values.areEqual(other, value));
        }

        @Override
        public String toString() {
            return FilterText.of(this);
        }
    }

    /// Holds where a name has one of several values.
    ///
    /// @param values at least one, as in [Equal]
    record In(String name, List<Object> values) implements Filter {
        /// Keeps a copy of the list.
        ///
        /// @throws IllegalArgumentException if there is no value, there are too many, the text would be too
        ///     long, or name or values cannot be a document's
        public In {
            values = Values.checkAll(name, values);
            FilterText.requireReadable(FilterText.inLength(name, values));
        }

        @Override
        public boolean matches(Metadata metadata) {
            return Values.any(
                    metadata,
                    name,
                    value -> values instanceof ValueList list
                            ? list.matches(value)
                            : values.stream().anyMatch(other -> Values.areEqual(other, value)));
        }

        @Override
        public String toString() {
            return FilterText.of(this);
        }
    }

    /// Holds where the value of a name lies to one side of a bound.
    ///
    /// @param bound a [String], [Long] or [Double]; only values of its kind are compared with it
    record Range(String name, Side side, Object bound) implements Filter {
        /// @throws IllegalArgumentException if name or bound cannot be a document's, or the bound is a
        ///     boolean or too long
        public Range {
            bound = Values.checkBound(name, side, bound);
        }

        @Override
        public boolean matches(Metadata metadata) {
            return Values.any(metadata, name, value -> Values.isWithin(value, side, bound));
        }

        @Override
        public String toString() {
            return FilterText.of(this);
        }
    }

    /// On which side of a bound values lie.
    enum Side {
        /// `>`
        GREATER,
        /// `>=`
        AT_LEAST,
        /// `<`
        LESS,
        /// `<=`
        AT_MOST
    }

    /// `name = value`.
    ///
    /// @throws IllegalArgumentException as [Equal]
    static Filter equal(String name, Object value) {
        return new Equal(name, value);
    }

    /// `name != value`: the negation of [#equal].
    ///
    /// @throws IllegalArgumentException as [Equal]
    static Filter notEqual(String name, Object value) {
        return new Not(new Equal(name, value));
    }

    /// `name in (value, value)`.
    ///
    /// @throws IllegalArgumentException as [In]
    static Filter in(String name, Collection<?> values) {
        return new In(name, new ArrayList<>(Objects.requireNonNull(values, "values")));
    }

    /// `name not in (value, value)`: the negation of [#in].
    ///
    /// @throws IllegalArgumentException as [In]
    static Filter notIn(String name, Collection<?> values) {
        return new Not(in(name, values));
    }

    /// `name > bound`.
    ///
    /// @throws IllegalArgumentException as [Range]
    static Filter greater(String name, Object bound) {
        return new Range(name, Side.GREATER, bound);
    }

    /// `name >= bound`.
    ///
    /// @throws IllegalArgumentException as [Range]
    static Filter atLeast(String name, Object bound) {
        return new Range(name, Side.AT_LEAST, bound);
    }

    /// `name < bound`.
    ///
    /// @throws IllegalArgumentException as [Range]
    static Filter less(String name, Object bound) {
        return new Range(name, Side.LESS, bound);
    }

    /// `name <= bound`.
    ///
    /// @throws IllegalArgumentException as [Range]
    static Filter atMost(String name, Object bound) {
        return new Range(name, Side.AT_MOST, bound);
    }

    /// Holds where all do; a single one is returned itself.
    ///
    /// @throws IllegalArgumentException if there is none, or as [And]
    static Filter and(Collection<? extends Filter> filters) {
        return FilterSize.only(filters).orElseGet(() -> new And(List.copyOf(filters)));
    }

    /// As [#and(Collection)].
    static Filter and(Filter... filters) {
        return and(Arrays.asList(Objects.requireNonNull(filters, "filters")));
    }

    /// Holds where any does; a single one is returned itself.
    ///
    /// @throws IllegalArgumentException if there is none, or as [Or]
    static Filter or(Collection<? extends Filter> filters) {
        return FilterSize.only(filters).orElseGet(() -> new Or(List.copyOf(filters)));
    }

    /// As [#or(Collection)].
    static Filter or(Filter... filters) {
        return or(Arrays.asList(Objects.requireNonNull(filters, "filters")));
    }

    /// Holds where another does not.
    ///
    /// @throws IllegalArgumentException as [Not]
    static Filter not(Filter filter) {
        return new Not(filter);
    }

    /// Reads a filter's text. Every filter's `toString` is such a text, and gives an equal filter.
    ///
    /// @throws IllegalArgumentException if the text is no filter; the message gives the place
    static Filter parse(String text) {
        return new FilterParser(Objects.requireNonNull(text, "text")).parse();
    }

    /// The names that a filter compares, in alphabetical order.
    default Set<String> names() {
        return kinds().keySet();
    }

    /// The names that a filter compares, in alphabetical order, with the kinds of the values that it has
    /// for each.
    default SortedMap<String, Set<ValueKind>> kinds() {
        SortedMap<String, Set<ValueKind>> kinds = new TreeMap<>();
        FilterSize.collectKinds(this, kinds);
        return kinds;
    }
}
