package io.github.sgpt4j.training.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.training.TrainingState;
import io.github.sgpt4j.training.data.BatchPosition;
import io.github.sgpt4j.training.data.DataFile;
import io.github.sgpt4j.training.optimizer.AdamState;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.FileFailures;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// A training between two steps, in one safetensors file: for each trained tensor its values and the optimizer's
/// running means in 64 bits; in the metadata what they belong to.
///
/// @param state of the trainer
/// @param base fingerprint of the model that the training started from
/// @param settings what decides the numbers of the training, by name
/// @param data the files that are trained with
/// @param score of the evaluation that decides which state is best, if there was one at this step
/// @param best the best score so far, if there is one
public record SavedState(
        TrainingState state,
        String base,
        Map<String, String> settings,
        List<DataFile> data,
        OptionalDouble score,
        OptionalDouble best) {
    private static final int VERSION = 1;
    private static final String KEY = "sgpt4j";
    private static final String NOTHING = "nothing";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PIECE = 1 << 15;
    private static final String VALUES = "values.";
    private static final String FIRST = "first.";
    private static final String SECOND = "second.";

    /// Copies the collections.
    public SavedState {
        settings = Map.copyOf(settings);
        data = List.copyOf(data);
    }

    /// Writes the file; when this returns, it is intact even if the machine stops. A failure leaves what was there.
    ///
    /// @param file absolute
    /// @throws IOException if that fails; it names the file
    void write(Path file) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter().metadata(KEY, metadata());
        for (AdamState.Tensor tensor : state.optimizer().tensors()) {
            add(writer, VALUES + tensor.name(), tensor.values());
            add(writer, FIRST + tensor.name(), tensor.first());
            add(writer, SECOND + tensor.name(), tensor.second());
        }
        Path work = file.resolveSibling(".%s.tmp".formatted(file.getFileName()));
        try {
            try {
                writer.write(work);
                Durable.file(work);
                Files.move(work, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(work);
            }
        } catch (IOException e) {
            throw FileFailures.named(file, e);
        }
        Durable.entries(file.resolveSibling(""));
    }

    private static void add(SafetensorsWriter writer, String name, double[] values) {
        writer.add(name, ElementType.F64, Shape.of(values.length), out -> {
            byte[] bytes = new byte[PIECE * Double.BYTES];
            MemorySegment segment = MemorySegment.ofArray(bytes);
            for (int at = 0; at < values.length; at += PIECE) {
                int count = Math.min(PIECE, values.length - at);
                MemorySegment.copy(values, at, segment, LittleEndian.F64, 0, count);
                out.write(bytes, 0, count * Double.BYTES);
            }
        });
    }

    private String metadata() {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", VERSION);
        root.put("step", state.step());
        root.put("batches", state.position().batches());
        root.put("rows", state.position().rows());
        root.put("base", base);
        score.ifPresent(value -> root.put("score", value));
        best.ifPresent(value -> root.put("best", value));
        ObjectNode named = root.putObject("settings");
        new TreeMap<>(settings).forEach(named::put);
        for (DataFile file : data) {
            root.withArray("data")
                    .addObject()
                    .put("name", file.name())
                    .put("bytes", file.bytes())
                    .put("sha256", file.sha256());
        }
        try {
            return JSON.writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Reads a file that [#write] has made.
    ///
    /// @param numbers how many are trained: a file with more is not read into memory
    /// @throws FormatException if it is broken, another version wrote it, or it has more numbers
    static SavedState read(Path file, long numbers) {
        try (Weights stored = Weights.openFile(file)) {
            return stored.mapped().reading(() -> read(file, stored, numbers));
        }
    }

    private static SavedState read(Path file, Weights stored, long numbers) {
        String text = stored.metadata().get(KEY);
        if (text == null) {
            throw new FormatException("%s: expected the state of a training, got other tensors".formatted(file));
        }
        JsonFile json = JsonFile.of(file, text);
        if (number(json, "version") != VERSION) {
            throw new FormatException("%s: expected the state of a training in version %d, got version %d"
                    .formatted(file, VERSION, number(json, "version")));
        }
        BatchPosition position;
        try {
            position = new BatchPosition(number(json, "batches"), number(json, "rows"));
        } catch (IllegalArgumentException e) {
            throw new FormatException("%s: %s".formatted(file, e.getMessage()), e);
        }
        List<String> names = stored.names().stream()
                .filter(name -> name.startsWith(VALUES))
                .map(name -> name.substring(VALUES.length()))
                .toList();
        List<AdamState.Tensor> tensors = new ArrayList<>();
        long left = numbers;
        for (String name : names) {
            left -= stored.get(VALUES + name).shape().elements();
            if (left < 0) {
                throw new FormatException(
                        "%s: expected the state of %d trained numbers, got more".formatted(file, numbers));
            }
            tensors.add(tensor(file, stored, name));
        }
        requireNoOther(file, stored, tensors.size());
        long step = number(json, "step");
        return new SavedState(
                new TrainingState(step, position, new AdamState(step, tensors)),
                json.text("base", ""),
                settings(json),
                data(json),
                real(json, "score"),
                real(json, "best"));
    }

    private static void requireNoOther(Path file, Weights stored, int trained) {
        int found = stored.names().size() + stored.unknownNames().size();
        if (found != 3 * trained) {
            throw new FormatException("%s: expected three tensors for each of the %d trained ones, got %d"
                    .formatted(file, trained, found));
        }
    }

    private static AdamState.Tensor tensor(Path file, Weights stored, String name) {
        Shape shape = stored.get(VALUES + name).shape();
        return new AdamState.Tensor(
                name,
                doubles(file, stored.get(VALUES + name), shape),
                doubles(file, stored.get(FIRST + name), shape),
                doubles(file, stored.get(SECOND + name), shape));
    }

    private static double[] doubles(Path file, WeightTensor tensor, Shape shape) {
        if (tensor.dtype() != ElementType.F64
                || tensor.shape().rank() != 1
                || tensor.shape().elements() > Integer.MAX_VALUE) {
            throw new FormatException("%s: tensor %s: expected a vector of type F64, got %s of type %s"
                    .formatted(file, tensor.name(), tensor.shape(), tensor.dtype()));
        }
        if (!tensor.shape().equals(shape)) {
            throw new FormatException("%s: tensor %s: expected shape %s as that of its values, got %s"
                    .formatted(file, tensor.name(), shape, tensor.shape()));
        }
        double[] values = new double[(int) tensor.shape().elements()];
        MemorySegment.copy(tensor.data(), LittleEndian.F64, 0, values, 0, values.length);
        WeightTensor.settle();
        return values;
    }

    private static long number(JsonFile json, String key) {
        Optional<JsonNode> node = json.node(key);
        if (node.isEmpty()
                || !node.get().canConvertToExactIntegral()
                || !node.get().canConvertToLong()
                || node.get().longValue() < 0) {
            throw new FormatException("%s: key \"%s\": expected a whole number of at least 0, got %s"
                    .formatted(json.path(), key, node.map(JsonFile::shown).orElse("nothing")));
        }
        return node.get().longValue();
    }

    private static OptionalDouble real(JsonFile json, String key) {
        Optional<JsonNode> node = json.node(key);
        if (node.isEmpty()) {
            return OptionalDouble.empty();
        }
        if (!node.get().isNumber()) {
            throw json.wrong(key, "a number", node.get());
        }
        return OptionalDouble.of(node.get().doubleValue());
    }

    private static Map<String, String> settings(JsonFile json) {
        Map<String, String> settings = new TreeMap<>();
        json.node("settings")
                .ifPresent(node -> node.properties()
                        .forEach(entry ->
                                settings.put(entry.getKey(), entry.getValue().asText())));
        return settings;
    }

    private static List<DataFile> data(JsonFile json) {
        List<DataFile> files = new ArrayList<>();
        json.node("data")
                .ifPresent(node -> node.forEach(file -> files.add(new DataFile(
                        file.path("name").asText(),
                        file.path("bytes").asLong(),
                        file.path("sha256").asText()))));
        return files;
    }

    /// Checks that a training is the same as the one that this state is of.
    ///
    /// @throws FormatException with the first difference
    void requireSame(Path file, String nowBase, Map<String, String> nowSettings, List<DataFile> nowData) {
        if (!base.equals(nowBase)) {
            throw new FormatException(
                    "%s: expected the model that the training started from, fingerprint %s, got one with %s"
                            .formatted(file, base, nowBase));
        }
        Set<String> names = new TreeSet<>(settings.keySet());
        names.addAll(nowSettings.keySet());
        for (String name : names) {
            String before = settings.getOrDefault(name, NOTHING);
            String now = nowSettings.getOrDefault(name, NOTHING);
            if (!before.equals(now)) {
                throw new FormatException("%s: %s: expected %s as before, got %s".formatted(file, name, before, now));
            }
        }
        DataFile.difference(data, nowData).ifPresent(difference -> {
            throw new FormatException("%s: %s".formatted(file, difference));
        });
    }
}
