package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Checkpoints for tests: pickled weights from this module, everything else from the engine's test
/// resources.
final class Checkpoints {
    private static final Path ENGINE = Path.of("../src/engine/src/test/resources/goldens/models");

    private Checkpoints() {}

    /// The engine's own copy of a checkpoint, with safetensors.
    static Path twin(String name) {
        return ENGINE.resolve(name);
    }

    /// Names of all checkpoints that the engine is tested with.
    static List<String> twins() throws IOException {
        try (Stream<Path> folders = Files.list(ENGINE)) {
            return folders.map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    /// Copies the engine's own copy of a checkpoint.
    static Path copy(String name, Path parent) throws IOException {
        Path folder = parent.resolve(name);
        copy(twin(name), folder, true);
        return folder;
    }

    /// Makes a checkpoint with pickled weights only.
    static Path pickled(String name, Path parent) throws IOException {
        Path folder = parent.resolve(name);
        copy(twin(name), folder, false);
        copy(resource(name), folder, true);
        return folder;
    }

    static Path resource(String name) {
        try {
            return Path.of(Checkpoints.class.getResource("/checkpoints/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void copy(Path from, Path to, boolean weights) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (weights || !file.toString().contains("safetensors")) {
                    Path target = to.resolve(from.relativize(file));
                    Files.createDirectories(target.getParent());
                    Files.copy(file, target);
                }
            }
        }
    }

    /// Type, shape and bytes of every tensor as one text.
    static Map<String, String> tensors(Path folder) {
        Map<String, String> all = new TreeMap<>();
        try (Weights weights = Weights.open(folder)) {
            for (String name : weights.names()) {
                WeightTensor tensor = weights.get(name);
                byte[] bytes = tensor.data().toArray(ValueLayout.JAVA_BYTE);
                all.put(
                        name,
                        "%s %s %s"
                                .formatted(
                                        tensor.dtype(),
                                        tensor.shape(),
                                        HexFormat.of().formatHex(bytes)));
            }
        }
        return all;
    }
}
