package io.github.sgpt4j.weights;

import com.fasterxml.jackson.core.JsonToken;
import io.github.sgpt4j.json.JsonCursor;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.text.Quoted;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The JSON header of a safetensors file: metadata and, for each tensor, its type, shape and position.
///
/// Each entry is checked separately (keys, types, ranges, shape against bytes); [SafetensorsFile]
/// checks that entries fill the data without gaps or overlaps. Unknown keys of an entry are ignored,
/// and `null` metadata counts as none, as in the reference implementation.
///
/// @param entries by name, in the order of the file
/// @param metadata the strings under `__metadata__`, in the order of the file
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";
    static final int MAX_TENSORS = 250_000;
    static final int MAX_METADATA = 100_000;

    /// @param position offset of the tensor's name in the file
    /// @param type name of the element type
    /// @param dtype the element type, empty if unknown
    /// @param begin first byte of the tensor, counted from the end of the header
    /// @param end the byte after the last one
    record Entry(
            String name, long position, String type, Optional<ElementType> dtype, Shape shape, long begin, long end) {}

    /// Parses and checks a header.
    ///
    /// @param json the header's bytes, padding included; borrowed during the call
    /// @param fileOffset offset of the header in the file
    /// @param dataBytes number of bytes after the header
    /// @throws io.github.sgpt4j.error.FormatException at the first error
    static SafetensorsHeader parse(String file, MemorySegment json, long fileOffset, long dataBytes) {
        try (JsonCursor cursor = new JsonCursor(file, json, fileOffset)) {
            return new Parser(cursor, dataBytes).parse(json, fileOffset);
        }
    }

    private static final class Parser {
        private final JsonCursor json;
        private final long dataBytes;
        private final Map<String, Entry> entries = new LinkedHashMap<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();

        Parser(JsonCursor json, long dataBytes) {
            this.json = json;
            this.dataBytes = dataBytes;
        }

        SafetensorsHeader parse(MemorySegment bytes, long fileOffset) {
            json.next(JsonToken.START_OBJECT, "an object of tensors");
            boolean hasMetadata = false;
            while (json.nextKey()) {
                String name = json.text();
                if (!name.equals(METADATA)) {
                    tensor(name);
                } else if (hasMetadata) {
                    throw json.bad(json.position(), "expected one %s, got a second".formatted(METADATA));
                } else {
                    hasMetadata = true;
                    metadata();
                }
            }
            requirePadding(bytes, json.end() - fileOffset);
            return new SafetensorsHeader(entries, metadata);
        }

        private void requirePadding(MemorySegment bytes, long from) {
            for (long i = from; i < bytes.byteSize(); i++) {
                byte value = bytes.get(ValueLayout.JAVA_BYTE, i);
                if (value != ' ') {
                    long offset = json.end() + (i - from);
                    throw json.bad(offset, "expected spaces up to the end of the header, got 0x%02x".formatted(value));
                }
            }
        }

        private void metadata() {
            if (json.next() == JsonToken.VALUE_NULL) {
                return;
            }
            if (json.token() != JsonToken.START_OBJECT) {
                throw json.unexpected("an object of strings as " + METADATA);
            }
            while (json.nextKey()) {
                String key = json.text();
                if (metadata.containsKey(key)) {
                    throw json.bad(
                            json.position(),
                            "%s: expected key %s once, got it twice".formatted(METADATA, Quoted.of(key)));
                }
                if (metadata.size() == MAX_METADATA) {
                    throw json.bad(
                            json.position(),
                            "%s: expected at most %d strings, got more".formatted(METADATA, MAX_METADATA));
                }
                json.next(JsonToken.VALUE_STRING, "a string as %s of %s".formatted(Quoted.of(key), METADATA));
                metadata.put(key, json.text());
            }
        }

        private void tensor(String name) {
            long position = json.position();
            if (entries.containsKey(name)) {
                throw json.bad(position, "expected tensor %s once, got it twice".formatted(Quoted.of(name)));
            }
            if (entries.size() == MAX_TENSORS) {
                throw json.bad(position, "expected at most %d tensors, got more".formatted(MAX_TENSORS));
            }
            entries.put(name, new SafetensorsEntryParser(json, dataBytes, name, position).parse());
        }
    }
}
