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

/// The small JSON files of a checkpoint, each read once, whoever asks for it and however often. What a file said at
/// first holds until this is dropped. Safe to share between threads.
public final class JsonFiles {
    /// A larger file is not kept in memory: whoever asks for it reads it.
    private static final long MAX_KEPT_BYTES = 4L << 20;

    private final Map<Path, byte[]> contents = new HashMap<>();
    private final Map<Path, JsonNode> trees = new HashMap<>();

    /// A file that holds any JSON value; not to be changed.
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

    /// A file that must hold one JSON object.
    ///
    /// @throws FormatException if it is missing or broken, or holds something else
    public JsonFile object(Path path) {
        return JsonFile.object(path, tree(path));
    }

    /// As [#object], or empty if there is no such file.
    public Optional<JsonFile> objectIfPresent(Path path) {
        return FileEntries.exists(path) ? Optional.of(object(path)) : Optional.empty();
    }

    /// The bytes of a regular file, for those who parse it in another way.
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
