package io.github.sgpt4j.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A golden model whose biases the reference has trained, and its embeddings of three texts.
///
/// @param name folder in `goldens/training/bitfit`
public record TrainedGolden(String name) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FOLDER = Goldens.root().resolve("training/bitfit");

    /// All of them, sorted by name.
    public static List<TrainedGolden> all() {
        try (Stream<Path> folders = Files.list(FOLDER)) {
            return folders.map(folder -> new TrainedGolden(folder.getFileName().toString()))
                    .sorted((a, b) -> a.name.compareTo(b.name))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What the reference computes.
    public JsonNode expected() {
        return Goldens.json(FOLDER.resolve(name).resolve("expected.json"));
    }

    /// Folder of the base model.
    public Path base() {
        return Goldens.root().resolve(expected().get("model").textValue());
    }

    /// Whether queries and documents are put in brackets.
    public boolean specb() {
        return expected().get("specb").booleanValue();
    }

    public Pooling pooling() {
        return Pooling.parse(expected().get("pooling").textValue());
    }

    public int maxLength() {
        return expected().get("max_length").intValue();
    }

    /// The trained tensors by name, each `shape` and values.
    public Map<String, Map.Entry<Shape, float[]>> tensors() {
        Map<String, Map.Entry<Shape, float[]>> tensors = new TreeMap<>();
        try (Weights trained = Weights.openFile(FOLDER.resolve(name).resolve("final.safetensors"))) {
            for (String tensor : trained.names()) {
                WeightTensor values = trained.get(tensor);
                tensors.put(tensor, Map.entry(values.shape(), values.toFloats()));
            }
        }
        return tensors;
    }

    /// The metadata of `biases.safetensors`.
    public Map<String, String> metadata() {
        return new TreeMap<>(Map.of(
                "base",
                fingerprint(base()),
                "pooling",
                pooling().toString(),
                "specb",
                Boolean.toString(specb()),
                "max_length",
                Integer.toString(maxLength()),
                "method",
                "bitfit"));
    }

    /// Writes `biases.safetensors`.
    public Path write(Path folder) {
        return write(folder, metadata(), tensors());
    }

    /// Writes `biases.safetensors` with these strings and tensors.
    public static Path write(
            Path folder, Map<String, String> metadata, Map<String, Map.Entry<Shape, float[]>> tensors) {
        SafetensorsWriter writer = new SafetensorsWriter();
        metadata.forEach(writer::metadata);
        tensors.forEach((tensor, values) -> writer.add(tensor, values.getKey(), values.getValue()));
        try {
            Path file = folder.resolve("biases.safetensors");
            writer.write(file);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static String fingerprint(Path directory) {
        try (Model model = Model.open(directory, ModelOptions.DEFAULT.withDevice("cpu"))) {
            return model.fingerprint();
        }
    }

    /// The texts whose embeddings are known: a query and two documents.
    public List<String> texts() {
        List<String> texts = new ArrayList<>();
        for (JsonNode ids : expected().get("probe_ids")) {
            texts.add(text(ids));
        }
        return texts;
    }

    private String text(JsonNode ids) {
        try (Stream<String> lines = Files.lines(FOLDER.resolve(name).resolve("rows.jsonl"))) {
            for (String line : (Iterable<String>) lines::iterator) {
                JsonNode row = JSON.readTree(line);
                for (String key : List.of("anchor", "positive")) {
                    if (row.get("ids").get(key).equals(ids)) {
                        return row.get(key).textValue();
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException(name + ": no row has the ids " + ids);
    }

    /// Embeds the texts as they were embedded in training.
    public float[][] embed(BiEncoder encoder) {
        List<String> texts = texts();
        float[][] vectors = new float[texts.size()][];
        for (int i = 0; i < vectors.length; i++) {
            TextKind kind = i == 0 ? TextKind.QUERY : TextKind.DOCUMENT;
            vectors[i] = encoder.embed(List.of(texts.get(i)), specb() ? kind : TextKind.TEXT)[0];
        }
        return vectors;
    }

    /// Compares with the reference.
    public void check(BiEncoder encoder) {
        boolean normalizes = encoder.model().info().modules().contains("Normalize");
        float[][] actual = embed(encoder);
        for (int i = 0; i < actual.length; i++) {
            double[] vector = Closeness.doubles(expected().get("probe_after").get(i));
            if (normalizes) {
                Closeness.normalize(vector);
            }
            new Closeness(2e-5, 2e-5).check(name + " text " + i, vector, actual[i]);
        }
    }

    /// Whether the embeddings are those of the untrained model.
    public boolean isUntrained(float[][] actual) {
        double[] before = Closeness.doubles(expected().get("probe_before").get(0));
        return Closeness.deviation(before, actual[0]) < 1e-4;
    }

    @Override
    public String toString() {
        return name;
    }
}
