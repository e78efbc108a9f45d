package io.github.sgpt4j.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.data.DataOptions;
import io.github.sgpt4j.training.data.TrainingData;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.step.GradCache;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole trainings against PyTorch in float64: `goldens/training` of the engine's test resources. The build runs those
/// tagged "vector" again as on other processors, and those tagged "cuda" on a GPU's stand-in; there, the former take
/// minutes and run by hand (`-Dtraining.test.cuda=vector`).
class TrainerGoldenTest {
    private static final Path GOLDENS = Path.of("../engine/src/test/resources/goldens");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double LOSS = 1e-5;

    @TempDir
    private Path folder;

    /// One run of the goldens.
    private final class Golden implements AutoCloseable {
        private final Path run;
        private final JsonNode expected;
        private final TripleSource data;
        private final TrainableModel model;

        Golden(String name, TrainingMethod method, int threads) throws IOException {
            this(name, method, TestDevice.options().withThreads(threads));
        }

        Golden(String name, TrainingMethod method, ModelOptions options) throws IOException {
            run = GOLDENS.resolve("training").resolve(name);
            expected = JSON.readTree(run.resolve("expected.json").toFile());
            data = TrainingData.open(rows(), DataForm.ROWS, DataOptions.DEFAULT.withNegatives(negatives()));
            model = TrainableModel.open(
                    GOLDENS.resolve(expected.get("model").asText()),
                    options,
                    BiEncoderOptions.DEFAULT
                            .withSpecb(expected.get("specb").booleanValue())
                            .withPooling(Pooling.parse(expected.get("pooling").asText()))
                            .withMaxLength(expected.get("max_length").intValue()),
                    method::trains);
        }

        private List<JsonNode> lines() throws IOException {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : Files.readAllLines(run.resolve("rows.jsonl"))) {
                lines.add(JSON.readTree(line));
            }
            return lines;
        }

        private int negatives() throws IOException {
            return lines().getFirst().get("ids").size() - 2;
        }

        private Path rows() throws IOException {
            List<String> rows = new ArrayList<>();
            for (JsonNode line : lines()) {
                ObjectNode row = JSON.createObjectNode();
                row.put("anchor", line.get("anchor").asText())
                        .put("positive", line.get("positive").asText());
                for (String key : List.of("negative", "negative_2")) {
                    if (line.has(key)) {
                        row.withArray("negative").add(line.get(key).asText());
                    }
                }
                rows.add(JSON.writeValueAsString(row));
            }
            return Files.write(folder.resolve("rows.jsonl"), rows);
        }

        TrainingOptions options() {
            return TrainingOptions.DEFAULT
                    .withBatchSize(expected.get("batch_size").intValue())
                    .withEpochs(expected.get("epochs").intValue())
                    .withShuffle(false)
                    .withLearningRate(expected.get("lr").doubleValue())
                    .withWarmup(new StepCount.Steps(expected.get("warmup_steps").longValue()))
                    .withClip(expected.get("max_grad_norm").doubleValue());
        }

        /// Trains to the end and compares every step.
        void train(TrainingOptions options) {
            train(options, Integer.MAX_VALUE);
        }

        /// Takes at most the first `steps` steps and compares each.
        void train(TrainingOptions options, int steps) {
            Trainer trainer = new Trainer(model, data, options);
            assertEquals(expected.get("total_steps").longValue(), trainer.totalSteps());
            while (trainer.step() < Math.min(steps, trainer.totalSteps())) {
                compare(trainer.next());
            }
        }

        private void compare(TrainingStep step) {
            JsonNode of = expected.get("steps").get((int) step.step() - 1);
            String what = "step " + step.step();
            assertEquals(of.get("rows").intValue(), step.rows(), what);
            assertEquals(of.get("loss").doubleValue(), step.loss(), LOSS * Math.max(1, step.loss()), what);
            double norm = of.get("gradient_norm").doubleValue();
            assertEquals(norm, step.gradientNorm(), 1e-4 * norm, what);
            assertEquals(of.get("clip_factor").doubleValue(), step.clipFactor(), 1e-4, what);
            double rate = of.get("learning_rate").doubleValue();
            assertEquals(rate, step.learningRate(), 1e-9 * rate, what);
        }

        /// Trains to the end.
        ///
        /// @return the loss of the last step
        double lastLoss(TrainingOptions options) {
            Trainer trainer = new Trainer(model, data, options);
            double loss = Double.NaN;
            while (trainer.step() < trainer.totalSteps()) {
                loss = trainer.next().loss();
            }
            return loss;
        }

        /// @param allowed difference of a component
        void checkProbes(double allowed) {
            List<int[]> ids = new ArrayList<>();
            expected.get("probe_ids").forEach(text -> ids.add(Goldens.integers(text)));
            float[][] actual = model.embed(ids, Collections.nCopies(ids.size(), TextKind.TEXT));
            for (int i = 0; i < actual.length; i++) {
                double[] of = Goldens.numbers(expected.get("probe_after").get(i));
                for (int j = 0; j < of.length; j++) {
                    assertEquals(of[j], actual[i][j], allowed, "probe " + i + "[" + j + "]");
                }
            }
        }

        /// @param share of the largest change of all that a value may differ by
        void checkValues(double share) {
            try (Weights before = Weights.open(model.model().directory());
                    Weights after = Weights.openFile(run.resolve("final.safetensors"));
                    Weights gradients = Weights.openFile(run.resolve("first_gradients.safetensors"))) {
                double largest = 0;
                double steepest = 0;
                for (TrainableTensor tensor : model.tensors()) {
                    float[] from = before.get(tensor.name()).toFloats();
                    float[] to = after.get(named(after, tensor.name())).toFloats();
                    float[] gradient =
                            gradients.get(named(gradients, tensor.name())).toFloats();
                    for (int i = 0; i < from.length; i++) {
                        largest = Math.max(largest, Math.abs((double) to[i] - from[i]));
                        steepest = Math.max(steepest, Math.abs(gradient[i]));
                    }
                }
                for (TrainableTensor tensor : model.tensors()) {
                    float[] to = after.get(named(after, tensor.name())).toFloats();
                    float[] gradient =
                            gradients.get(named(gradients, tensor.name())).toFloats();
                    double[] actual = new double[to.length];
                    model.read(tensor.name(), actual);
                    for (int i = 0; i < to.length; i++) {
                        // Softmax does not see the biases of keys: their gradient is rounding, and Adam follows it.
                        if (Math.abs(gradient[i]) > 1e-7 * steepest) {
                            assertEquals(to[i], actual[i], share * largest, tensor.name() + "[" + i + "]");
                        }
                    }
                }
            }
        }

        private static String named(Weights weights, String stored) {
            return weights.names().stream()
                    .filter(name -> stored.equals(name) || stored.endsWith("." + name))
                    .findFirst()
                    .orElseThrow();
        }

        double[] values() {
            return model.tensors().stream()
                    .flatMapToDouble(tensor -> {
                        double[] values = new double[(int) tensor.elements()];
                        model.read(tensor.name(), values);
                        return Arrays.stream(values);
                    })
                    .toArray();
        }

        @Override
        public void close() throws IOException {
            model.close();
            data.close();
        }
    }

    @BeforeEach
    void requireDevice() {
        TestDevice.require();
    }

    @Tag("vector")
    @ParameterizedTest
    @ValueSource(strings = {"bloom", "gpt2", "gptj", "gptneo", "gptneox", "gptneox-sequential", "opt", "qwen2"})
    void biasesAreTrainedAsByTheReference(String family) throws IOException {
        try (Golden golden = new Golden("bitfit/" + family, TrainingMethod.BITFIT, 2)) {
            golden.train(golden.options());
            golden.checkValues(2e-3);
            golden.checkProbes(2e-5);
        }
    }

    /// The stand-in is slow. The rate rises from 0, so that the third loss is the first after a change.
    @Test
    @Tag("cuda")
    void theFirstStepsAreThoseOfTheReference() throws IOException {
        try (Golden golden = new Golden("bitfit/qwen2", TrainingMethod.BITFIT, 2)) {
            golden.train(golden.options(), 3);
        }
    }

    /// The third loss shows that the first change has reached both.
    @Test
    @Tag("cuda")
    void severalDevicesTrainAsTheReference() throws IOException {
        TestDevice.requireSeveral();
        try (Golden golden = new Golden("bitfit/gptneo", TrainingMethod.BITFIT, TestDevice.several())) {
            assertEquals(2, golden.model.devices().size());
            golden.train(golden.options().withGradCache(GradCache.ALWAYS), 3);
        }
    }

    @Test
    @Tag("cuda")
    void theFirstLossesWithWeightsOfSixteenBitsAreAboutThoseOfTheReference() throws IOException {
        ModelOptions options = TestDevice.options().withDtype(Dtype.BF16);
        try (Golden golden = new Golden("bitfit/gptneo", TrainingMethod.BITFIT, options)) {
            Trainer trainer = new Trainer(golden.model, golden.data, golden.options());
            for (int i = 0; i < 3; i++) {
                double expected =
                        golden.expected.get("steps").get(i).get("loss").doubleValue();
                assertEquals(expected, trainer.next().loss(), 0.02 * expected, "step " + (i + 1));
            }
        }
    }

    @Test
    @Tag("vector")
    void sixtyStepsAreThoseOfTheReference() throws IOException {
        try (Golden golden = new Golden("long", TrainingMethod.BITFIT, 2)) {
            golden.train(golden.options());
            golden.checkProbes(1e-4);
        }
    }

    /// The trained tensors are 32-bit floats all the same.
    @Test
    @Tag("vector")
    void weightsOfSixteenBitsEndAtAboutTheSameLoss() throws IOException {
        ModelOptions options = TestDevice.options().withDtype(Dtype.BF16);
        try (Golden golden = new Golden("long", TrainingMethod.BITFIT, options)) {
            double loss = golden.lastLoss(golden.options());
            JsonNode steps = golden.expected.get("steps");
            double expected = steps.get(steps.size() - 1).get("loss").doubleValue();
            assertEquals(expected, loss, 0.05 * expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 100_000})
    void theGradientCacheIsPlain(int chunkTokens) throws IOException {
        try (Golden golden = new Golden("gradcache", TrainingMethod.BITFIT, 2)) {
            golden.train(golden.options().withGradCache(GradCache.ALWAYS).withBatchTokens(chunkTokens));
            golden.checkProbes(2e-5);
        }
    }

    @Test
    @Tag("vector")
    void theGradientCacheGivesTheSameBits() throws IOException {
        List<double[]> values = new ArrayList<>();
        for (GradCache cache : List.of(GradCache.ALWAYS, GradCache.NEVER)) {
            try (Golden golden = new Golden("gradcache", TrainingMethod.BITFIT, 2)) {
                golden.train(golden.options().withGradCache(cache).withBatchTokens(100));
                values.add(golden.values());
            }
        }
        assertArrayEquals(values.getFirst(), values.getLast());
    }

    @Test
    void threadsDoNotChangeBits() throws IOException {
        List<double[]> values = new ArrayList<>();
        for (int threads : List.of(1, 2, 3)) {
            try (Golden golden = new Golden("gradcache", TrainingMethod.BITFIT, threads)) {
                golden.train(golden.options());
                values.add(golden.values());
            }
        }
        assertArrayEquals(values.get(0), values.get(1));
        assertArrayEquals(values.get(0), values.get(2));
    }

    @Test
    @Tag("vector")
    void everythingIsTrainedAsByTheReference() throws IOException {
        for (String name : List.of("gptneo", "llama")) {
            try (Golden golden = new Golden("full/" + name, TrainingMethod.FULL, 2)) {
                golden.train(golden.options().withMethod(TrainingMethod.FULL));
                golden.checkProbes(2e-5);
            }
        }
    }

    @Test
    @Tag("vector")
    void biasesAndTheEmbeddingAreTrainedAsByTheReference() throws IOException {
        TrainingMethod method = TrainingMethod.BITFIT_AND_EMBEDDING;
        try (Golden golden = new Golden("full/gptneo-bias-wte", method, 2)) {
            golden.train(golden.options().withMethod(method));
            golden.checkProbes(2e-5);
        }
    }

    @Test
    void aRestoredTrainingContinuesToTheSameBits() throws IOException {
        try (Golden whole = new Golden("gradcache", TrainingMethod.BITFIT, 2);
                Golden halves = new Golden("gradcache", TrainingMethod.BITFIT, 2);
                Golden rest = new Golden("gradcache", TrainingMethod.BITFIT, 2)) {
            TrainingOptions options = whole.options().withSteps(6);
            Trainer all = new Trainer(whole.model, whole.data, options);
            all.train(TrainingListener.NONE);
            Trainer first = new Trainer(halves.model, halves.data, options);
            for (int i = 0; i < 3; i++) {
                first.next();
            }
            Trainer second = new Trainer(rest.model, rest.data, options);
            second.restore(first.state());
            second.train(TrainingListener.NONE);
            assertArrayEquals(whole.values(), rest.values());
        }
    }
}
