package io.github.sgpt4j.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/// A copy of a golden checkpoint for a test to damage.
///
/// @param golden name of the original
/// @param directory where the copy lies
public record CheckpointFolder(String golden, Path directory) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Copies a golden to a new folder in `parent`.
    public static CheckpointFolder copy(String golden, Path parent) {
        Path source = Goldens.model(golden);
        try (Stream<Path> files = Files.walk(source)) {
            Path target = Files.createTempDirectory(parent, golden + "-");
            for (Path file : (Iterable<Path>) files::iterator) {
                if (!file.equals(source) && !file.endsWith("expected.json")) {
                    Files.copy(file, target.resolve(source.relativize(file).toString()));
                }
            }
            return new CheckpointFolder(golden, target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path file(String name) {
        return directory.resolve(name);
    }

    public byte[] bytes(String name) {
        try {
            return Files.readAllBytes(file(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The JSON object in a file of the original, or an empty one.
    public ObjectNode original(String name) {
        Path file = Goldens.model(golden).resolve(name);
        return Files.exists(file) ? (ObjectNode) Goldens.json(file) : JSON.createObjectNode();
    }

    /// Replaces a file, whatever it was.
    public CheckpointFolder write(String name, byte[] content) {
        try {
            Files.createDirectories(file(name).getParent());
            Files.deleteIfExists(file(name));
            Files.write(file(name), content);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public CheckpointFolder write(String name, String content) {
        return write(name, content.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /// Writes the original's JSON object with the value of one key replaced by `json`, as it is, valid or not.
    public CheckpointFolder set(String name, String key, String json) {
        ObjectNode object = original(name);
        object.putRawValue(key, new RawValue(json));
        return write(name, object);
    }

    /// Writes the original's JSON object without some keys.
    public CheckpointFolder remove(String name, String... keys) {
        return write(name, original(name).without(List.of(keys)));
    }

    private CheckpointFolder write(String name, JsonNode node) {
        try {
            return write(name, JSON.writeValueAsBytes(node));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Deletes files and, if empty afterwards, folders.
    public CheckpointFolder delete(String... names) {
        try {
            for (String name : names) {
                Files.deleteIfExists(file(name));
            }
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What becomes of a tensor: zeros of some type and shape, or nothing.
    public record Replacement(ElementType dtype, long... shape) {}

    /// Writes the original's weights as one file, with some tensors left out or replaced by zeros; `edit` returns
    /// empty for tensors to leave out, and the tensor's own type and shape for those to keep.
    public CheckpointFolder tensors(Function<WeightTensor, Optional<Replacement>> edit) {
        try (Weights weights = Weights.open(Goldens.model(golden))) {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (WeightTensor tensor : new TreeMap<>(byName(weights)).values()) {
                edit.apply(tensor).ifPresent(r -> add(writer, tensor, r));
            }
            delete(Weights.INDEX_FILE, Weights.SINGLE_FILE);
            writer.write(file(Weights.SINGLE_FILE));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static TreeMap<String, WeightTensor> byName(Weights weights) {
        TreeMap<String, WeightTensor> tensors = new TreeMap<>();
        weights.names().forEach(name -> tensors.put(name, weights.get(name)));
        return tensors;
    }

    private static void add(SafetensorsWriter writer, WeightTensor tensor, Replacement replacement) {
        Shape shape = Shape.of(replacement.shape());
        if (shape.equals(tensor.shape()) && replacement.dtype() == tensor.dtype()) {
            writer.add(tensor);
            return;
        }
        byte[] zeros =
                new byte[Math.toIntExact(shape.elements() * replacement.dtype().bytes())];
        writer.add(tensor.name(), replacement.dtype(), shape, MemorySegment.ofArray(zeros));
    }

    /// A tensor as it is, for [#tensors].
    public static Optional<Replacement> keep(WeightTensor tensor) {
        return Optional.of(new Replacement(tensor.dtype(), tensor.shape().toArray()));
    }

    /// Writes the weights with one tensor left out.
    public CheckpointFolder dropTensor(String name) {
        return tensors(t -> t.name().equals(name) ? Optional.empty() : keep(t));
    }

    /// Writes the weights with one tensor replaced by zeros of its own type.
    public CheckpointFolder reshape(String name, long... shape) {
        return tensors(t -> t.name().equals(name) ? Optional.of(new Replacement(t.dtype(), shape)) : keep(t));
    }

    /// Writes the weights as one file, with some numbers of one tensor changed; it becomes F32.
    public CheckpointFolder values(String name, Consumer<float[]> edit) {
        try (Weights weights = Weights.open(Goldens.model(golden))) {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (WeightTensor tensor : byName(weights).values()) {
                if (tensor.name().equals(name)) {
                    float[] values = tensor.toFloats();
                    edit.accept(values);
                    writer.add(name, tensor.shape(), values);
                } else {
                    writer.add(tensor);
                }
            }
            delete(Weights.INDEX_FILE, Weights.SINGLE_FILE);
            writer.write(file(Weights.SINGLE_FILE));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
