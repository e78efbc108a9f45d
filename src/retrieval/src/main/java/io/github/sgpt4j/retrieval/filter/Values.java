package io.github.sgpt4j.retrieval.filter;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter.Side;
import io.github.sgpt4j.text.Quoted;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Predicate;

/// Compares values of metadata, by the rules of [Filter].
final class Values {
    /// 2^63.
    private static final double MAX_WHOLE = 0x1p63;

    private Values() {}

    /// A value as a document would have it.
    static Object check(String name, Object value) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        Object checked = Metadata.of(Map.of(name, value)).get(name).orElseThrow();
        if (checked instanceof List<?>) {
            throw new IllegalArgumentException(
                    "filter: %s: expected a single value, got a list".formatted(Quoted.of(name)));
        }
        return checked;
    }

    static ValueList checkAll(String name, List<Object> values) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(values, "values");
        if (values.isEmpty()) {
            throw new IllegalArgumentException("filter: %s in: expected values, got none".formatted(Quoted.of(name)));
        }
        if (values.size() > Filter.MAX_VALUES) {
            throw new IllegalArgumentException("filter: %s in: expected at most %,d values, got %,d"
                    .formatted(Quoted.of(name), Filter.MAX_VALUES, values.size()));
        }
        List<Object> checked = new ArrayList<>(values.size());
        for (Object value : values) {
            checked.add(check(name, Objects.requireNonNull(value, "values: expected values, got null")));
        }
        return new ValueList(checked);
    }

    static Object checkBound(String name, Side side, Object bound) {
        Objects.requireNonNull(side, "side");
        Objects.requireNonNull(bound, "bound");
        Object checked = check(name, bound);
        if (checked instanceof Boolean) {
            throw new IllegalArgumentException(
                    "filter: %s: expected a number or string to compare with, got a boolean, which can only be equal"
                            .formatted(Quoted.of(name)));
        }
        if (checked instanceof String text) {
            int length = text.getBytes(StandardCharsets.UTF_8).length;
            if (length > Filter.MAX_BOUND_BYTES) {
                throw new IllegalArgumentException(
                        "filter: %s: expected a string of at most %,d bytes to compare with, got %,d"
                                .formatted(Quoted.of(name), Filter.MAX_BOUND_BYTES, length));
            }
        }
        return checked;
    }

    /// Whether the value of a name, or any element of it, fits.
    static boolean any(Metadata metadata, String name, Predicate<Object> fits) {
        return switch (metadata.get(name).orElse(List.of())) {
            case List<?> values -> values.stream().anyMatch(fits);
            case Object value -> fits.test(value);
        };
    }

    static boolean areEqual(Object a, Object b) {
        return key(a).equals(key(b));
    }

    /// Equal for values that are equal, and for no others.
    static Object key(Object value) {
        if (value instanceof Double number
                && number >= -MAX_WHOLE
                && number < MAX_WHOLE
                && number == Math.rint(number)) {
            return number.longValue();
        }
        return value;
    }

    static boolean isWithin(Object value, Side side, Object bound) {
        OptionalInt order = compare(value, bound);
        if (order.isEmpty()) {
            return false;
        }
        return switch (side) {
            case GREATER -> order.getAsInt() > 0;
            case AT_LEAST -> order.getAsInt() >= 0;
            case LESS -> order.getAsInt() < 0;
            case AT_MOST -> order.getAsInt() <= 0;
        };
    }

    /// Negative if a is less than b; nothing for values of different kinds.
    private static OptionalInt compare(Object a, Object b) {
        return switch (a) {
            case String text when b instanceof String other -> OptionalInt.of(compareTexts(text, other));
            case Boolean truth when b instanceof Boolean other -> OptionalInt.of(truth.compareTo(other));
            case Number number when b instanceof Number other -> OptionalInt.of(compareNumbers(number, other));
            default -> OptionalInt.empty();
        };
    }

    private static int compareNumbers(Number a, Number b) {
        if (a instanceof Long x && b instanceof Long y) {
            return Long.compare(x, y);
        }
        if (a instanceof Double x && b instanceof Double y) {
            // Zero has one value, whatever its sign.
            return Double.compare(x + 0.0, y + 0.0);
        }
        return exact(a).compareTo(exact(b));
    }

    private static BigDecimal exact(Number number) {
        return number instanceof Long whole ? BigDecimal.valueOf(whole) : new BigDecimal(number.doubleValue());
    }

    /// By code points. The first character that differs decides, but surrogates, which stand for code
    /// points above all others, come before some other characters.
    private static int compareTexts(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                return Character.isSurrogate(x) == Character.isSurrogate(y)
                        ? Character.compare(x, y)
                        : Boolean.compare(Character.isSurrogate(x), Character.isSurrogate(y));
            }
        }
        return Integer.compare(a.length(), b.length());
    }
}
