package io.github.sgpt4j.retrieval.corpus;

import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.text.WellFormed;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Brings values of [Metadata] into their few classes, and refuses others by name.
final class MetadataValues {
    private static final int CHARACTERS_OF_OTHERS = 8;
    private static final String KINDS = "a string, number or boolean, or a list of one of these kinds";

    private MetadataValues() {}

    static String shown(String name) {
        return Quoted.of(name);
    }

    static String checkName(@Nullable String name) {
        if (name == null || name.isEmpty()) {
            throw new IllegalArgumentException(
                    "metadata: expected a name, got " + (name == null ? "null" : "an empty one"));
        }
        if (name.length() > Metadata.MAX_NAME_CHARACTERS) {
            throw new IllegalArgumentException("metadata %s: expected a name of at most %d characters, got %,d"
                    .formatted(shown(name), Metadata.MAX_NAME_CHARACTERS, name.length()));
        }
        return text(name, name);
    }

    static Object of(String name, @Nullable Object value) {
        if (value instanceof Collection<?> elements) {
            return list(name, new ArrayList<>(elements));
        }
        if (value != null && value.getClass().isArray()) {
            List<Object> elements = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) {
                elements.add(Array.get(value, i));
            }
            return list(name, elements);
        }
        return single(name, value, KINDS);
    }

    private static List<Object> list(String name, List<?> elements) {
        if (elements.isEmpty()) {
            throw refused(name, "a list with values, or no entry", "an empty list");
        }
        List<Object> values = new ArrayList<>(elements.size());
        for (Object element : elements) {
            values.add(single(name, element, "a list of strings, numbers or booleans"));
        }
        String kind = kind(values.getFirst());
        for (Object value : values) {
            if (!kind(value).equals(kind)) {
                throw refused(name, "a list of one kind", "a %s and a %s".formatted(kind, kind(value)));
            }
        }
        return List.copyOf(values);
    }

    private static Object single(String name, @Nullable Object value, String expected) {
        return switch (value) {
            case null -> throw refused(name, expected, "null");
            case String text -> text(name, text);
            case Boolean truth -> truth;
            case Long number -> number;
            case Integer number -> number.longValue();
            case Short number -> number.longValue();
            case Byte number -> number.longValue();
            case Double number -> finite(name, number);
            case Float number -> finite(name, number.doubleValue());
            default -> throw refused(name, expected, value.getClass().getName());
        };
    }

    private static double finite(String name, double number) {
        if (!Double.isFinite(number)) {
            throw refused(name, "a finite number", Double.toString(number));
        }
        return number;
    }

    private static String text(String name, String text) {
        if (!WellFormed.is(text)) {
            throw refused(name, "Unicode text", "half a surrogate pair");
        }
        return text;
    }

    private static String kind(Object value) {
        return switch (value) {
            case String _ -> "string";
            case Boolean _ -> "boolean";
            default -> "number";
        };
    }

    static long characters(Object value) {
        return switch (value) {
            case String text -> text.length();
            case List<?> values ->
                values.stream().mapToLong(MetadataValues::characters).sum();
            default -> CHARACTERS_OF_OTHERS;
        };
    }

    private static IllegalArgumentException refused(String name, String expected, String got) {
        return new IllegalArgumentException("metadata %s: expected %s, got %s".formatted(shown(name), expected, got));
    }
}
