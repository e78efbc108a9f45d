package io.github.sgpt4j.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The checkpoints in the test resources that set one configuration option each; `variants/README.md` there describes
/// them.
public final class Variants {
    private Variants() {}

    /// Names of the checkpoints that test a decoder, sorted.
    public static List<String> decoders() {
        return ofKind("decoder");
    }

    /// Names of the checkpoints that test the modules of sentence-transformers, sorted.
    public static List<String> embeddings() {
        return ofKind("embedding");
    }

    /// The directory of the checkpoint `name`.
    public static Path model(String name) {
        return Goldens.root().resolveSibling("variants").resolve(name);
    }

    /// What the reference computes for the checkpoint `name`.
    public static JsonNode expected(String name) {
        return Goldens.json(model(name).resolve("expected.json"));
    }

    /// The elements of an array of strings.
    public static List<String> strings(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(n -> texts.add(n.textValue()));
        return texts;
    }

    private static List<String> ofKind(String kind) {
        try (Stream<Path> directories = Files.list(Goldens.root().resolveSibling("variants"))) {
            return directories
                    .filter(Files::isDirectory)
                    .map(p -> p.getFileName().toString())
                    .filter(name -> expected(name).get("kind").textValue().equals(kind))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
