package io.github.sgpt4j.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The gradient of the first batch of every training run in `goldens/training`, from the gradient of the loss with
/// respect to the embeddings to those of the stored tensors, against PyTorch in float64.
@Tag("vector")
@Tag("cuda")
class GradientGoldensTest {
    private static final Path TRAINING = Goldens.root().resolve("training");
    private static final List<String> COLUMNS = List.of("anchor", "positive", "negative");

    private static final Map<String, PoolMode> MODES = Map.of(
            "mean", PoolMode.MEAN,
            "weightedmean", PoolMode.WEIGHTED_MEAN,
            "lasttoken", PoolMode.LAST);

    /// @param tolerance of gradients, relative to the largest of all
    private record Subject(String name, Supplier<Backend> open, double tolerance) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Stream<Subject> subjects() {
        if (CudaTests.active()) {
            CudaTests.require();
            return Stream.of(new Subject("cuda", () -> new CudaBackend(new CudaOptions(0, Precision.FP32)), 1e-5));
        }
        return Stream.of(
                new Subject("reference", ReferenceBackend::new, 2e-6),
                new Subject("cpu", () -> new CpuBackend(new CpuOptions(2, Precision.AUTO, 0)), 1e-5));
    }

    static Stream<Arguments> bitfit() {
        return subjects().flatMap(subject -> folders("bitfit").map(folder -> Arguments.of(folder, subject)));
    }

    static Stream<Arguments> full() {
        return subjects().flatMap(subject -> folders("full").map(folder -> Arguments.of(folder, subject)));
    }

    private static Stream<String> folders(String kind) {
        try (Stream<Path> folders = Files.list(TRAINING.resolve(kind))) {
            return folders.map(folder -> kind + "/" + folder.getFileName()).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The texts of the first batch.
    ///
    /// @param ids column after column: anchors, positives, negatives
    private record FirstBatch(int rows, List<int[]> ids) {
        static FirstBatch read(Path folder, int rows) throws IOException {
            List<JsonNode> lines = new ArrayList<>();
            ObjectMapper mapper = new ObjectMapper();
            for (String line : Files.readAllLines(folder.resolve("rows.jsonl")).subList(0, rows)) {
                lines.add(mapper.readTree(line).get("ids"));
            }
            List<int[]> ids = new ArrayList<>();
            columns(lines.getFirst())
                    .forEach(column -> lines.forEach(line -> ids.add(Closeness.ints(line.get(column)))));
            return new FirstBatch(rows, ids);
        }

        private static List<String> columns(JsonNode ids) {
            List<String> columns = new ArrayList<>();
            ids.fieldNames().forEachRemaining(columns::add);
            columns.sort(Comparator.comparingInt(column -> COLUMNS.indexOf(column.replaceAll("_?[0-9]+$", ""))));
            return columns;
        }

        /// The gradient of the mean cross entropy of 20 · cosine, each anchor's own positive being the right one
        /// of all other texts.
        float[][] loss(float[][] embeddings) {
            double[][] units = Arrays.stream(embeddings).map(FirstBatch::unit).toArray(double[][]::new);
            double[][] dUnits = new double[units.length][units[0].length];
            for (int r = 0; r < rows; r++) {
                double[] p = new double[units.length - rows];
                double sum = 0;
                for (int c = 0; c < p.length; c++) {
                    p[c] = Math.exp(20 * dot(units[r], units[rows + c]) - 20);
                    sum += p[c];
                }
                for (int c = 0; c < p.length; c++) {
                    double d = 20 * (p[c] / sum - (c == r ? 1 : 0)) / rows;
                    for (int i = 0; i < dUnits[r].length; i++) {
                        dUnits[r][i] += d * units[rows + c][i];
                        dUnits[rows + c][i] += d * units[r][i];
                    }
                }
            }
            float[][] result = new float[units.length][];
            for (int t = 0; t < units.length; t++) {
                double[] x = Closeness.doubles(embeddings[t]);
                double length = Math.sqrt(dot(x, x));
                double along = dot(dUnits[t], units[t]);
                result[t] = new float[x.length];
                for (int i = 0; i < x.length; i++) {
                    result[t][i] = (float) ((dUnits[t][i] - along * units[t][i]) / length);
                }
            }
            return result;
        }

        private static double[] unit(float[] x) {
            double[] unit = Closeness.doubles(x);
            Closeness.normalize(unit);
            return unit;
        }

        private static double dot(double[] a, double[] b) {
            double sum = 0;
            for (int i = 0; i < a.length; i++) {
                sum += a[i] * b[i];
            }
            return sum;
        }
    }

    @ParameterizedTest
    @MethodSource("bitfit")
    void biasesHaveTheGradientsOfTheReference(String name, Subject subject) throws IOException {
        Path folder = TRAINING.resolve(name);
        Map<String, double[]> actual = gradients(folder, subject);
        try (Weights stored = Weights.openFile(folder.resolve("first_gradients.safetensors"))) {
            assertEquals(stored.names(), actual.keySet());
            double largest = 0;
            for (String tensor : stored.names()) {
                for (float value : stored.get(tensor).toFloats()) {
                    largest = Math.max(largest, Math.abs(value));
                }
            }
            for (String tensor : stored.names()) {
                float[] expected = stored.get(tensor).toFloats();
                double[] values = actual.get(tensor);
                assertEquals(expected.length, values.length, tensor);
                for (int i = 0; i < expected.length; i++) {
                    assertEquals(expected[i], values[i], subject.tolerance * largest, tensor + "[" + i + "]");
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("full")
    void allTensorsHaveTheGradientsOfTheReference(String name, Subject subject) throws IOException {
        Path folder = TRAINING.resolve(name);
        Map<String, double[]> actual = gradients(folder, subject);
        JsonNode expected = Goldens.json(folder.resolve("expected.json")).get("tensors");
        double largest = 0;
        for (JsonNode tensor : expected) {
            largest = Math.max(largest, tensor.get("gradient_norm").doubleValue());
        }
        for (Map.Entry<String, double[]> tensor : actual.entrySet()) {
            double norm = 0;
            double dot = 0;
            for (int i = 0; i < tensor.getValue().length; i++) {
                norm += tensor.getValue()[i] * tensor.getValue()[i];
                dot += tensor.getValue()[i] * Math.cos(i);
            }
            JsonNode of = expected.get(tensor.getKey());
            double allowed = 5 * subject.tolerance * largest;
            assertEquals(of.get("gradient_norm").doubleValue(), Math.sqrt(norm), allowed, tensor.getKey());
            assertEquals(of.get("gradient_dot").doubleValue(), dot, allowed, tensor.getKey());
        }
    }

    /// The gradients of the tensors that the run trains, by their name there.
    private static Map<String, double[]> gradients(Path folder, Subject subject) throws IOException {
        JsonNode expected = Goldens.json(folder.resolve("expected.json"));
        Set<String> trained = new HashSet<>();
        expected.get("trained").forEach(name -> trained.add(name.asText()));
        Path model = Goldens.root().resolve(expected.get("model").asText());
        FirstBatch first =
                FirstBatch.read(folder, expected.get("steps").get(0).get("rows").intValue());
        Map<String, double[]> result = new TreeMap<>();
        try (Weights weights = Weights.open(model);
                Backend backend = subject.open.get()) {
            Decoder decoder = Decoder.load(model, weights, backend);
            Set<String> stored = new HashSet<>();
            weights.names().stream()
                    .filter(name -> trained.stream().anyMatch(t -> isSame(name, t)))
                    .forEach(stored::add);
            List<PoolMode> modes = List.of(MODES.get(expected.get("pooling").asText()));
            try (Gradients gradients = decoder.gradients(stored::contains)) {
                pass(decoder, first, modes, gradients);
                for (String name : gradients.tensors().keySet()) {
                    double[] values =
                            new double[Math.toIntExact(weights.get(name).shape().elements())];
                    gradients.read(name, values);
                    result.put(
                            trained.stream()
                                    .filter(t -> isSame(name, t))
                                    .findFirst()
                                    .orElseThrow(),
                            values);
                }
            }
            if (backend instanceof ReferenceBackend reference) {
                assertEquals(0, reference.openTensors(), "open tensors");
                assertEquals(0, reference.openBatches(), "open batches");
            }
        }
        assertEquals(trained, result.keySet());
        return result;
    }

    private static boolean isSame(String stored, String name) {
        return stored.equals(name) || stored.endsWith("." + name);
    }

    private static void pass(Decoder decoder, FirstBatch first, List<PoolMode> modes, Gradients gradients) {
        int[] skip = new int[first.ids.size()];
        try (GradientPass pass = decoder.gradientPass(first.ids, skip, modes, Cancellation.NEVER);
                GradientPass plain = decoder.gradientPass(first.ids, skip, modes, Cancellation.NEVER)) {
            float[][] embeddings = pass.forward();
            assertTrue(Arrays.deepEquals(embeddings, plain.embed()), "embeddings without keeping anything");
            pass.backward(first.loss(embeddings), gradients);
        }
    }
}
