package io.github.sgpt4j.weights;

import com.fasterxml.jackson.core.JsonToken;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonCursor;
import io.github.sgpt4j.text.Quoted;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The index of a checkpoint in several safetensors files: which file contains which tensor.
///
/// @param path the index file
/// @param shards file name by tensor name; plain names without directories
public record ShardIndex(Path path, Map<String, String> shards) {
    private static final String KIND = "an index of safetensors files";
    private static final String WEIGHT_MAP = "weight_map";
    private static final long MAX_BYTES = 100_000_000;
    private static final int MAX_TENSORS = 1_000_000;

    public ShardIndex {
        shards = Collections.unmodifiableMap(new LinkedHashMap<>(shards));
    }

    /// Reads and checks an index file. Keys other than `weight_map` are ignored.
    ///
    /// @throws FormatException at the first error
    public static ShardIndex read(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            MappedFile mapped = MappedFile.map(path, KIND, arena);
            MemorySegment bytes = mapped.bytes();
            if (bytes.byteSize() > MAX_BYTES) {
                throw new FormatException("%s: expected %s of at most %d bytes, got %d"
                        .formatted(path, KIND, MAX_BYTES, bytes.byteSize()));
            }
            return new MappedFiles(List.of(mapped)).reading(() -> {
                try (JsonCursor json = new JsonCursor(path.toString(), bytes, 0)) {
                    return new ShardIndex(path, parse(json));
                }
            });
        }
    }

    private static Map<String, String> parse(JsonCursor json) {
        json.next(JsonToken.START_OBJECT, "an object with " + WEIGHT_MAP);
        Map<String, String> shards = new LinkedHashMap<>();
        boolean found = false;
        while (json.nextKey()) {
            if (!json.text().equals(WEIGHT_MAP)) {
                json.next();
                json.skip();
            } else if (found) {
                throw json.bad(json.position(), "expected one %s, got a second".formatted(WEIGHT_MAP));
            } else {
                found = true;
                weightMap(json, shards);
            }
        }
        if (shards.isEmpty()) {
            throw json.bad(
                    json.position(),
                    "expected tensors in %s, got %s".formatted(WEIGHT_MAP, found ? "none" : "no such key"));
        }
        if (!json.atEnd()) {
            throw json.unexpected("the end of the index");
        }
        return shards;
    }

    private static void weightMap(JsonCursor json, Map<String, String> shards) {
        json.next(JsonToken.START_OBJECT, "an object as " + WEIGHT_MAP);
        while (json.nextKey()) {
            String tensor = json.text();
            if (shards.containsKey(tensor)) {
                throw json.bad(json.position(), "expected tensor %s once, got it twice".formatted(Quoted.of(tensor)));
            }
            if (shards.size() == MAX_TENSORS) {
                throw json.bad(json.position(), "expected at most %d tensors, got more".formatted(MAX_TENSORS));
            }
            json.next(JsonToken.VALUE_STRING, "a file name for tensor " + Quoted.of(tensor));
            String file = json.text();
            if (!isPlainName(file)) {
                throw json.bad(
                        json.position(),
                        "expected a file name without directories for tensor %s, got %s"
                                .formatted(Quoted.of(tensor), Quoted.of(file)));
            }
            shards.put(tensor, file);
        }
    }

    /// Whether the name can only denote a file directly in the index's own directory, on any system.
    private static boolean isPlainName(String name) {
        if (name.isBlank()
                || name.equals(".")
                || name.equals("..")
                || name.chars().anyMatch(ShardIndex::isSeparator)) {
            return false;
        }
        try {
            return Path.of(name).getNameCount() == 1 && !Path.of(name).isAbsolute();
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static boolean isSeparator(int c) {
        return c == '/' || c == '\\' || c == ':' || Character.isISOControl(c);
    }
}
