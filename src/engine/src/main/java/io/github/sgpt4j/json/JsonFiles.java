package io.github.sgpt4j.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The small JSON files of a checkpoint. Each is read once, and its first contents are kept for the
/// lifetime of this object. Safe to share between threads.
public final class JsonFiles {
    /// A larger file is not kept in memory, but read again each time.
    private static final long MAX_KEPT_BYTES = 4L << 20;

    private final Map<Path, byte[]> contents = new HashMap<>();
    private final Map<Path, JsonNode> trees = new HashMap<>();

    /// The JSON value in a file; must not be modified.
    ///
    /// @throws FormatException if it is missing or broken
    public synchronized JsonNode tree(Path path) {
        Path key = key(path);
        JsonNode tree = trees.get(key);
        if (tree == null) {
            tree = JsonFile.readTree(path, this::open);
            trees.put(key, tree);
        }
        return tree;
    }

    /// The JSON object in a file.
    ///
    /// @throws FormatException if it is missing or broken, or holds another kind of value
    public JsonFile object(Path path) {
        return JsonFile.object(path, tree(path));
    }

    /// As [#object], or empty if there is no such file.
    public Optional<JsonFile> objectIfPresent(Path path) {
        return FileEntries.exists(path) ? Optional.of(object(path)) : Optional.empty();
    }

    /// The bytes of a regular file, for code that parses it differently.
    ///
    /// @throws IOException if it cannot be read
    public InputStream open(Path path) throws IOException {
        return Files.size(path) > MAX_KEPT_BYTES ? Files.newInputStream(path) : new ByteArrayInputStream(bytes(path));
    }

    private synchronized byte[] bytes(Path path) throws IOException {
        Path key = key(path);
        byte[] bytes = contents.get(key);
        if (bytes == null) {
            bytes = Files.readAllBytes(path);
            contents.put(key, bytes);
        }
        return bytes;
    }

    private static Path key(Path path) {
        return path.toAbsolutePath().normalize();
    }
}
