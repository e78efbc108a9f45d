package io.github.sgpt4j.template;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/// The values of templates: strings, [Long], [Double], [Boolean], lists, maps, [Special], and what can be called.
/// They behave as Python's.
final class Values {
    /// Values without content.
    enum Special {
        NONE,
        /// What a name without a value, or a missing key, means.
        UNDEFINED
    }

    /// A map whose entries can be set (`namespace()`).
    record Namespace(Map<String, Object> values) {}

    private Values() {}

    /// What a value is, for messages.
    static String kind(Object value) {
        return switch (value) {
            case String s -> "a string";
            case Long n -> "a number";
            case Double n -> "a number";
            case Boolean b -> "true or false";
            case List<?> list -> "a list";
            case Map<?, ?> map -> "a mapping";
            case Namespace n -> "a namespace";
            case Special special -> special == Special.NONE ? "none" : "undefined";
            default -> "a function";
        };
    }

    static boolean isTrue(Object value) {
        return switch (value) {
            case String s -> !s.isEmpty();
            case Long n -> n != 0;
            case Double n -> n != 0;
            case Boolean b -> b;
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case Special special -> false;
            default -> true;
        };
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static double number(Object value) {
        return switch (value) {
            case Long n -> n;
            case Double n -> n;
            case Boolean b -> b ? 1 : 0;
            default -> Double.NaN;
        };
    }

    /// The integer of a number; true is 1.
    static long integer(Object value) {
        return value instanceof Boolean b ? (b ? 1 : 0) : (Long) value;
    }

    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof Boolean;
    }

    /// A number as Python writes it.
    static String written(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        double size = Math.abs(value);
        if (size == 0 || size >= 1e-4 && size < 1e16) {
            String plain = size == 0 ? Double.toString(value) : new BigDecimal(Double.toString(value)).toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String[] parts = Double.toString(value).split("E", 2);
        String digits = parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
        int exponent = Integer.parseInt(parts[1]);
        return "%se%s%02d".formatted(digits, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
}
