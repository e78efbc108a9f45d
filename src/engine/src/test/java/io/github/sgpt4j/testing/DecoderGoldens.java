package io.github.sgpt4j.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The reference checkpoints of newer decoders; `goldens-decoders/README.md` in the test resources
/// describes them.
public final class DecoderGoldens {
    private DecoderGoldens() {}

    private static Path root() {
        URL readme = DecoderGoldens.class.getResource("/goldens-decoders/README.md");
        if (readme == null) {
            throw new IllegalStateException("test resources lack goldens-decoders/README.md");
        }
        try {
            return Path.of(readme.toURI()).resolveSibling("models");
        } catch (URISyntaxException e) {
            throw new IllegalStateException("goldens are not in a folder: " + readme, e);
        }
    }

    /// Names of the bi-encoder checkpoints, sorted.
    public static List<String> biEncoders() {
        try (Stream<Path> directories = Files.list(root())) {
            return directories
                    .filter(Files::isDirectory)
                    .map(p -> p.getFileName().toString())
                    .filter(name -> expected(name).path("kind").asText().equals("be"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The directory of the checkpoint `name`.
    public static Path model(String name) {
        return root().resolve(name);
    }

    /// What the reference computes for the checkpoint `name`.
    public static JsonNode expected(String name) {
        return Goldens.json(model(name).resolve("expected.json"));
    }
}
