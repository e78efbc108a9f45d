package io.github.sgpt4j.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainingDevice;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.data.DataOptions;
import io.github.sgpt4j.training.data.TrainingData;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.parameters.LoraOptions;
import io.github.sgpt4j.training.parameters.LowRankParameters;
import io.github.sgpt4j.training.run.RunListener;
import io.github.sgpt4j.training.run.RunOptions;
import io.github.sgpt4j.training.run.RunResult;
import io.github.sgpt4j.training.run.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Training by products of low rank.
class LoraTest {
    private static final Path MODELS = Path.of("../engine/src/test/resources/goldens/models");
    private static final ModelOptions CPU =
            ModelOptions.DEFAULT.withDevice("cpu").withThreads(2);
    private static final List<int[]> TEXTS = List.of(new int[] {5, 6, 7, 8}, new int[] {9, 10}, new int[] {11, 12, 13});
    private static final List<TextKind> KINDS = List.of(TextKind.QUERY, TextKind.DOCUMENT, TextKind.DOCUMENT);

    @TempDir
    private Path folder;

    private Path rows() throws IOException {
        List<String> rows = new ArrayList<>();
        List<String> words = List.of("whale", "loan", "harvest", "poem", "tiger", "glacier", "spider", "bread");
        for (String word : words) {
            rows.add("{\"query\": \"what is a %s\", \"positive\": \"about the %s and more\"}".formatted(word, word));
        }
        return Files.write(folder.resolve("rows.jsonl"), rows);
    }

    private static TrainableModel open(String name, LoraOptions lora) {
        return TrainableModel.open(
                MODELS.resolve(name), CPU, BiEncoderOptions.DEFAULT.withPooling(Pooling.WEIGHTEDMEAN), lora::trains);
    }

    /// Σ c ∘ embeddings.
    private static double value(TrainableModel model, float[][] c) {
        float[][] embeddings = model.embed(TEXTS, KINDS);
        double sum = 0;
        for (int i = 0; i < c.length; i++) {
            for (int j = 0; j < c[i].length; j++) {
                sum += (double) c[i][j] * embeddings[i][j];
            }
        }
        return sum;
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-be", "gpt2-be", "bloom-be", "gptneox-be"})
    void factorsHaveTheGradientsOfFiniteDifferences(String name) {
        LoraOptions options = new LoraOptions(3, 6, Set.of(LoraOptions.ALL_LINEAR));
        try (TrainableModel model = open(name, options)) {
            LowRankParameters parameters = new LowRankParameters(model, options, 0, 7);
            // B starts at zero, where A has no gradient.
            for (int p = 1; p < parameters.parameters().size(); p += 2) {
                double[] b = parameters.parameters().get(p).values();
                for (int i = 0; i < b.length; i++) {
                    b[i] = 0.05 * Math.cos(i + p);
                }
            }
            parameters.apply();
            float[][] c = new float[TEXTS.size()][model.dimension()];
            for (int i = 0; i < c.length; i++) {
                for (int j = 0; j < c[i].length; j++) {
                    c[i][j] = (float) Math.sin(3 * i + j);
                }
            }
            model.clearGradients();
            try (TrainingDevice.Pass pass = model.forward(TEXTS, KINDS)) {
                pass.backward(c);
            }
            List<double[]> gradients =
                    parameters.gradients().stream().map(double[]::clone).toList();
            for (int p = 0; p < gradients.size(); p += 3) {
                double[] values = parameters.parameters().get(p).values();
                double[] start = values.clone();
                double[] gradient = gradients.get(p);
                double squares = 0;
                for (double g : gradient) {
                    squares += g * g;
                }
                // Along the gradient the value changes fastest.
                double step = 1e-3 / Math.sqrt(squares);
                double difference = 0;
                for (int sign : new int[] {1, -1}) {
                    for (int i = 0; i < values.length; i++) {
                        values[i] = start[i] + sign * step * gradient[i];
                    }
                    parameters.apply();
                    difference += sign * value(model, c);
                }
                System.arraycopy(start, 0, values, 0, start.length);
                parameters.apply();
                double slope = difference / (2 * step);
                assertEquals(
                        squares,
                        slope,
                        2e-2 * squares,
                        parameters.parameters().get(p).name());
            }
        }
    }

    @Test
    void theModelIsUnchangedAtTheStart() {
        try (TrainableModel model = open("llama-be", LoraOptions.DEFAULT)) {
            float[][] before = model.embed(TEXTS, KINDS);
            new LowRankParameters(model, LoraOptions.DEFAULT, 0, 1).apply();
            float[][] after = model.embed(TEXTS, KINDS);
            for (int i = 0; i < before.length; i++) {
                assertArrayEquals(before[i], after[i]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-be", "gpt2-be"})
    void theAdapterIsTheMergedCheckpoint(String name) throws IOException {
        LoraOptions lora = new LoraOptions(4, 8, Set.of());
        TrainingOptions options = TrainingOptions.DEFAULT
                .withMethod(TrainingMethod.LORA)
                .withLora(lora)
                .withBatchSize(4)
                .withEpochs(3)
                .withLearningRate(5e-3);
        Path output = folder.resolve("trained");
        List<Double> losses = new ArrayList<>();
        try (TrainableModel model = open(name, lora);
                TripleSource data = TrainingData.open(rows(), DataForm.ROWS, DataOptions.DEFAULT);
                TrainingRun run = TrainingRun.begin(model, data, options, RunOptions.DEFAULT, output)) {
            RunResult result = run.run(new RunListener() {
                @Override
                public void onStep(TrainingStep step) {
                    losses.add(step.loss());
                }
            });
            assertEquals(output, result.model());
        }
        assertTrue(losses.getLast() < losses.getFirst(), losses::toString);
        List<String> texts = List.of("what is a whale", "the bread of a spider");
        float[][] merged;
        try (BiEncoder encoder = BiEncoder.open(output, CPU, BiEncoderOptions.DEFAULT)) {
            merged = encoder.embed(texts);
        }
        Path adapter = output.resolve("adapter");
        try (Model model = Model.open(adapter, CPU.withBaseModel(MODELS.resolve(name)));
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withPooling(Pooling.WEIGHTEDMEAN))) {
            float[][] adapted = encoder.embed(texts);
            for (int i = 0; i < merged.length; i++) {
                assertArrayEquals(merged[i], adapted[i], 1e-5f);
            }
        }
        try (BiEncoder encoder =
                BiEncoder.open(MODELS.resolve(name), CPU, BiEncoderOptions.DEFAULT.withPooling(Pooling.WEIGHTEDMEAN))) {
            assertTrue(Math.abs(encoder.embed(texts)[0][0] - merged[0][0]) > 1e-4, "training changes embeddings");
        }
    }

    @Test
    void targetsThatTheModelLacksAreRefused() throws IOException {
        for (Set<String> targets : List.of(Set.of("c_attn"), Set.of("q_proj", "c_attn"))) {
            LoraOptions lora = new LoraOptions(4, 8, targets);
            TrainingOptions options = TrainingOptions.DEFAULT
                    .withMethod(TrainingMethod.LORA)
                    .withLora(lora)
                    .withBatchSize(4);
            try (TrainableModel model = open("llama-be", lora);
                    TripleSource data = TrainingData.open(rows(), DataForm.ROWS, DataOptions.DEFAULT)) {
                assertEquals(
                        "lora targets: expected names of the model's projections such as q_proj, got c_attn",
                        assertThrows(FormatException.class, () -> new Trainer(model, data, options))
                                .getMessage());
            }
        }
    }
}
