package io.github.sgpt4j.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The reference checkpoints and results in the test resources; `goldens/README.md` there describes them.
public final class Goldens {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Goldens() {}

    /// The folder `goldens` on the class path.
    public static Path root() {
        URL readme = Goldens.class.getResource("/goldens/README.md");
        if (readme == null) {
            throw new IllegalStateException("test resources lack goldens/README.md");
        }
        try {
            return Path.of(readme.toURI()).resolveSibling("");
        } catch (URISyntaxException e) {
            throw new IllegalStateException("goldens are not in a folder: " + readme, e);
        }
    }

    /// Names of all model checkpoints, sorted.
    public static List<String> models() {
        try (Stream<Path> directories = Files.list(root().resolve("models"))) {
            return directories
                    .filter(Files::isDirectory)
                    .map(p -> p.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Names of the bi-encoder checkpoints, sorted.
    public static List<String> biEncoders() {
        return ofKind("be");
    }

    /// Names of the cross-encoder checkpoints, sorted.
    public static List<String> crossEncoders() {
        return ofKind("ce");
    }

    /// The directory of the checkpoint `name`.
    public static Path model(String name) {
        Path directory = root().resolve("models").resolve(name);
        if (!Files.isDirectory(directory)) {
            throw new IllegalArgumentException("no golden model " + name + ", there are " + models());
        }
        return directory;
    }

    /// What the reference computes for the checkpoint `name`.
    public static JsonNode expected(String name) {
        return json(model(name).resolve("expected.json"));
    }

    /// Parses any JSON file of the goldens.
    public static JsonNode json(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> ofKind(String kind) {
        return models().stream()
                .filter(name -> expected(name).path("kind").asText().equals(kind))
                .toList();
    }
}
