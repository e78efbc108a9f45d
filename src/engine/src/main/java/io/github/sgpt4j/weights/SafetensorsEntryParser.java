package io.github.sgpt4j.weights;

import com.fasterxml.jackson.core.JsonToken;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonCursor;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.text.Quoted;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Parses and checks one tensor's entry in a safetensors header:
/// `{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`, keys in any order. An unknown type is kept by
/// its name: code that does not need the tensor can ignore it, but its size cannot be checked.
final class SafetensorsEntryParser {
    private static final String DTYPE = "dtype";
    private static final String SHAPE = "shape";
    private static final String OFFSETS = "data_offsets";
    private static final int MAX_RANK = 64;
    private static final Map<String, ElementType> DTYPES = Stream.of(ElementType.values())
            .collect(Collectors.toUnmodifiableMap(ElementType::name, Function.identity()));

    private final JsonCursor json;
    private final long dataBytes;
    private final String name;
    private final long position;
    private final String tensor;

    private @Nullable String dtype;
    private @Nullable Shape shape;
    private long @Nullable [] offsets;

    /// @param json positioned at the tensor's name
    /// @param dataBytes number of bytes after the header
    /// @param position offset of the name in the file
    SafetensorsEntryParser(JsonCursor json, long dataBytes, String name, long position) {
        this.json = json;
        this.dataBytes = dataBytes;
        this.name = name;
        this.position = position;
        this.tensor = "tensor " + Quoted.of(name);
    }

    SafetensorsHeader.Entry parse() {
        json.next(JsonToken.START_OBJECT, "an object for " + tensor);
        while (json.nextKey()) {
            switch (json.text()) {
                case DTYPE -> {
                    requireFirst(dtype, DTYPE);
                    dtype = dtype();
                }
                case SHAPE -> {
                    requireFirst(shape, SHAPE);
                    shape = shape();
                }
                case OFFSETS -> {
                    requireFirst(offsets, OFFSETS);
                    offsets = offsets();
                }
                default -> {
                    json.next();
                    json.skip();
                }
            }
        }
        return entry(required(dtype, DTYPE), required(shape, SHAPE), required(offsets, OFFSETS));
    }

    private SafetensorsHeader.Entry entry(String type, Shape shape, long[] offsets) {
        long begin = offsets[0];
        long end = offsets[1];
        if (begin > end || end > dataBytes) {
            throw bad("expected data_offsets in order within the %d bytes of data, got %s"
                    .formatted(dataBytes, Arrays.toString(offsets)));
        }
        Optional<ElementType> dtype = Optional.ofNullable(DTYPES.get(type));
        dtype.ifPresent(known -> requireSize(known, shape, offsets));
        return new SafetensorsHeader.Entry(name, position, type, dtype, shape, begin, end);
    }

    private void requireSize(ElementType dtype, Shape shape, long[] offsets) {
        long bytes;
        try {
            bytes = dtype.bytes(shape.elements());
        } catch (ArithmeticException e) {
            throw bad("expected a size in whole bytes that fits 64 bits, got shape %s of %s".formatted(shape, dtype));
        }
        long got = offsets[1] - offsets[0];
        if (bytes != got) {
            throw bad("expected %d bytes for shape %s of %s, got %d from data_offsets %s"
                    .formatted(bytes, shape, dtype, got, Arrays.toString(offsets)));
        }
    }

    private String dtype() {
        json.next(JsonToken.VALUE_STRING, "a string as dtype of " + tensor);
        return json.text();
    }

    private Shape shape() {
        long[] dimensions = integers("the shape of " + tensor, MAX_RANK);
        try {
            return Shape.of(dimensions);
        } catch (ArithmeticException e) {
            throw bad("expected an element count that fits 64 bits, got shape " + Arrays.toString(dimensions));
        }
    }

    private long[] offsets() {
        long[] pair = integers("the data_offsets of " + tensor, 2);
        if (pair.length != 2) {
            throw json.bad(json.position(), "%s: expected 2 data_offsets, got %d".formatted(tensor, pair.length));
        }
        return pair;
    }

    private long[] integers(String where, int max) {
        json.next(JsonToken.START_ARRAY, "an array as " + where);
        long[] values = new long[max];
        int count = 0;
        while (json.next() != JsonToken.END_ARRAY) {
            long value = json.nonNegative("a non-negative 64-bit integer in " + where);
            if (count == max) {
                throw json.bad(json.position(), "expected at most %d numbers in %s, got more".formatted(max, where));
            }
            values[count++] = value;
        }
        return Arrays.copyOf(values, count);
    }

    private void requireFirst(@Nullable Object already, String key) {
        if (already != null) {
            throw json.bad(json.position(), "%s: expected one %s, got a second".formatted(tensor, key));
        }
    }

    private <T> T required(@Nullable T value, String key) {
        if (value == null) {
            throw bad("expected the keys dtype, shape and data_offsets, got no " + key);
        }
        return value;
    }

    private FormatException bad(String what) {
        return json.bad(position, tensor + ": " + what);
    }
}
