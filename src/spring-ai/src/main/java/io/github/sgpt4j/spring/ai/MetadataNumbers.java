package io.github.sgpt4j.spring.ai;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Numbers of metadata and filters as an index has them: a [Float] becomes the [Double] of the same digits,
/// so that 0.1f is 0.1, which texts of filters say.
final class MetadataNumbers {
    private MetadataNumbers() {}

    static Map<String, @Nullable Object> widened(Map<String, ?> values) {
        Map<String, @Nullable Object> widened = new LinkedHashMap<>();
        values.forEach((name, value) -> widened.put(name, widened(value)));
        return widened;
    }

    /// @param value one, a collection or an array; others than a [Float] are given back
    static @Nullable Object widened(@Nullable Object value) {
        return switch (value) {
            case Float number -> ofDigits(number);
            case Collection<?> elements -> all(elements);
            case float[] elements -> array(elements);
            case Float[] elements -> array(elements);
            case null, default -> value;
        };
    }

    private static List<@Nullable Object> all(Collection<?> elements) {
        List<@Nullable Object> all = new ArrayList<>();
        elements.forEach(element -> all.add(widened(element)));
        return all;
    }

    private static List<@Nullable Object> array(Object elements) {
        List<@Nullable Object> all = new ArrayList<>();
        for (int i = 0; i < Array.getLength(elements); i++) {
            all.add(widened(Array.get(elements, i)));
        }
        return all;
    }

    private static double ofDigits(float number) {
        double ofDigits = Double.parseDouble(Float.toString(number));
        return (float) ofDigits == number ? ofDigits : number;
    }
}
