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
import java.util.TreeMap;

/// A training between two steps, in one safetensors file: for each trained tensor its values and the optimizer's
/// running means in 64 bits; in the metadata what they belong to.
///
/// @param state of the trainer
/// @param origin the training that it is a state of
/// @param score of the evaluation that decides which state is best, if there was one at this step
/// @param best the best score so far, if there is one
record SavedState(TrainingState state, Origin origin, OptionalDouble score, OptionalDouble best) {
    private static final int VERSION = 1;
    private static final String KEY = "sgpt4j";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PIECE = 1 << 15;
    private static final String VALUES = "values.";
    private static final String FIRST = "first.";
    private static final String SECOND = "second.";

    /// What a file says beside its numbers.
    ///
    /// @param step number of steps taken
    /// @param position before which batch
    record Header(long step, BatchPosition position, Origin origin, OptionalDouble score, OptionalDouble best) {}

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
        root.put("base", origin.base());
        score.ifPresent(value -> root.put("score", value));
        best.ifPresent(value -> root.put("best", value));
        ObjectNode named = root.putObject("settings");
        new TreeMap<>(origin.settings()).forEach(named::put);
        for (DataFile file : origin.data()) {
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

    /// Reads a file that [#write] has made, if it is of this training.
    ///
    /// @param numbers how many are trained: a file with more is not read into memory
    /// @throws FormatException with the first difference to this training; or if it is broken, another
    ///     version wrote it, or it has more numbers
    static SavedState read(Path file, long numbers, Origin origin) {
        try (Weights stored = Weights.openFile(file)) {
            return stored.mapped().reading(() -> {
                Header header = header(file, stored);
                header.origin().requireSame(file, origin);
                List<AdamState.Tensor> tensors = tensors(file, stored, numbers);
                TrainingState state =
                        new TrainingState(header.step(), header.position(), new AdamState(header.step(), tensors));
                return new SavedState(state, header.origin(), header.score(), header.best());
            });
        }
    }

    /// Reads all but the numbers.
    ///
    /// @throws FormatException as [#read], without a comparison
    static Header header(Path file) {
        try (Weights stored = Weights.openFile(file)) {
            return stored.mapped().reading(() -> header(file, stored));
        }
    }

    private static Header header(Path file, Weights stored) {
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
        Origin origin = new Origin(json.text("base", ""), settings(json), data(json));
        return new Header(number(json, "step"), position, origin, real(json, "score"), real(json, "best"));
    }

    private static List<AdamState.Tensor> tensors(Path file, Weights stored, long numbers) {
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
        return tensors;
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
        if (!node.get().isNumber() || !Double.isFinite(node.get().doubleValue())) {
            throw json.wrong(key, "a finite number", node.get());
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
}
