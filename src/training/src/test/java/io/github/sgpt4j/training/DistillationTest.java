package io.github.sgpt4j.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.data.DataOptions;
import io.github.sgpt4j.training.data.NpyFiles;
import io.github.sgpt4j.training.data.TeacherSource;
import io.github.sgpt4j.training.data.TrainingData;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.loss.CosineLoss;
import io.github.sgpt4j.training.loss.Matrix;
import io.github.sgpt4j.training.loss.ProjectedCosineLoss;
import io.github.sgpt4j.training.loss.SimilarityLoss;
import io.github.sgpt4j.training.objective.Distillation;
import io.github.sgpt4j.training.objective.DistillationLoss;
import io.github.sgpt4j.training.objective.DistillationOptions;
import io.github.sgpt4j.training.optimizer.AdamState;
import io.github.sgpt4j.training.optimizer.Schedule;
import io.github.sgpt4j.training.parameters.LoraOptions;
import io.github.sgpt4j.training.run.RunListener;
import io.github.sgpt4j.training.run.RunOptions;
import io.github.sgpt4j.training.run.TrainingRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Small models learn the embeddings of others.
class DistillationTest {
    private static final Path MODELS = Path.of("../engine/src/test/resources/goldens/models");
    private static final ModelOptions CPU =
            ModelOptions.DEFAULT.withDevice("cpu").withThreads(2);
    private static final BiEncoderOptions ENCODING = BiEncoderOptions.DEFAULT.withPooling(Pooling.MEAN);

    /// 64 numbers per embedding.
    private static final String STUDENT = "gptneo-be";

    private static final int TEXTS = 48;

    @TempDir
    private Path folder;

    private final List<String> texts = new ArrayList<>();

    @BeforeEach
    void write() {
        List<String> things = List.of("whale", "loan", "harvest", "poem", "tiger", "glacier", "spider", "bread");
        List<String> verbs = List.of("eats", "sees", "buys", "fears", "paints", "loses");
        for (String thing : things) {
            for (String verb : verbs) {
                texts.add(
                        "a %s %s the %s of %d".formatted(thing, verb, things.get(texts.size() * 5 % 8), texts.size()));
            }
        }
        assertEquals(TEXTS, texts.size());
    }

    private static float[][] embed(Path model, List<String> texts) {
        try (BiEncoder encoder = BiEncoder.open(model, CPU, ENCODING)) {
            return encoder.embed(texts);
        }
    }

    private static float[][] teach(String teacher, List<String> texts) {
        return embed(MODELS.resolve(teacher), texts);
    }

    private TeacherSource source(List<String> taught, String teacher) throws IOException {
        Path matrix = NpyFiles.write(folder.resolve(teacher + ".npy"), teach(teacher, taught));
        return TrainingData.openTaught(Files.write(folder.resolve("texts.txt"), taught), Optional.of(matrix));
    }

    private static TrainableModel student(TrainingOptions options) {
        return TrainableModel.open(MODELS.resolve(STUDENT), CPU, ENCODING, options::trains);
    }

    private static TrainingOptions options(DistillationLoss loss) {
        return TrainingOptions.DEFAULT
                .withDistillation(DistillationOptions.DEFAULT.withLoss(loss))
                .withMethod(TrainingMethod.FULL)
                .withBatchSize(8)
                .withWarmup(new StepCount.Steps(0))
                .withLearningRate(1e-3);
    }

    private static AdamState.Tensor tensor(Trainer trainer, String name) {
        return trainer.state().optimizer().tensors().stream()
                .filter(tensor -> tensor.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @EnumSource(DistillationLoss.class)
    void gradientsOfAStepAreThoseOfItsLoss(DistillationLoss loss) throws IOException {
        TrainingOptions options = options(loss).withShuffle(false).withClip(1e9).withSchedule(Schedule.CONSTANT);
        try (TeacherSource data = source(texts, "bloom-be");
                TrainableModel model = student(options)) {
            Trainer trainer = new Trainer(model, data, options);
            assertEquals(96, data.dimension());
            List<String> names = new ArrayList<>(List.of("h.1.mlp.c_proj.bias", "ln_f.weight"));
            if (loss == DistillationLoss.SIMILARITY) {
                assertTrue(trainer.state().optimizer().tensors().stream()
                        .noneMatch(tensor -> tensor.name().equals(Distillation.PROJECTION)));
            } else {
                names.add(Distillation.PROJECTION);
            }
            AdamState start = copied(trainer.state().optimizer());
            TrainingState before = new TrainingState(0, trainer.state().position(), start);
            TrainingStep step = trainer.next();
            assertTrue(step.accuracy().isEmpty());
            for (String name : names) {
                double[] gradient = tensor(trainer, name).first().clone();
                double squares = 0;
                for (int i = 0; i < gradient.length; i++) {
                    // The running mean of the first step has a tenth of the gradient.
                    gradient[i] *= 10;
                    squares += gradient[i] * gradient[i];
                }
                assertTrue(squares > 0, name);
                // Along the gradient, the loss changes fastest.
                double length = 3e-3 / Math.sqrt(squares);
                double difference = 0;
                for (int sign : new int[] {1, -1}) {
                    trainer.restore(
                            new TrainingState(0, before.position(), moved(start, name, sign * length, gradient)));
                    difference += sign * trainer.next().loss();
                }
                trainer.restore(before);
                trainer.next();
                assertEquals(squares, difference / (2 * length), 1e-2 * squares, name);
            }
        }
    }

    private static AdamState copied(AdamState state) {
        return new AdamState(
                state.steps(),
                state.tensors().stream()
                        .map(tensor -> new AdamState.Tensor(
                                tensor.name(),
                                tensor.values().clone(),
                                tensor.first().clone(),
                                tensor.second().clone()))
                        .toList());
    }

    private static AdamState moved(AdamState state, String name, double length, double[] direction) {
        AdamState moved = copied(state);
        for (AdamState.Tensor tensor : moved.tensors()) {
            if (tensor.name().equals(name)) {
                for (int i = 0; i < direction.length; i++) {
                    tensor.values()[i] += length * direction[i];
                }
            }
        }
        return moved;
    }

    /// How far similarities of texts differ from the teacher's.
    private static double similarity(float[][] student, float[][] teacher) {
        return SimilarityLoss.of(Matrix.of(student), Matrix.of(teacher)).loss();
    }

    @ParameterizedTest
    @EnumSource(names = "COSINE", mode = EnumSource.Mode.EXCLUDE)
    void aStudentLearnsTheSimilaritiesOfALargerTeacher(DistillationLoss loss) throws IOException {
        List<String> taught = texts.subList(0, 40);
        List<String> unseen = texts.subList(40, TEXTS);
        TrainingOptions options = options(loss).withEpochs(12);
        List<Double> losses = new ArrayList<>();
        try (TeacherSource data = source(taught, "bloom-be");
                TrainableModel model = student(options);
                BiEncoder encoder = BiEncoder.of(model.model(), ENCODING)) {
            float[][] teacher = teach("bloom-be", unseen);
            double before = similarity(encoder.embed(unseen), teacher);
            new Trainer(model, data, options).train(step -> losses.add(step.loss()));
            double after = similarity(encoder.embed(unseen), teacher);
            assertTrue(losses.getLast() < losses.getFirst() / 2, losses::toString);
            assertTrue(after < before / 2, "unseen texts: from %s to %s".formatted(before, after));
        }
    }

    @Test
    void aStudentLearnsTheDirectionsOfALargerTeacher() throws IOException {
        List<String> taught = texts.subList(0, 40);
        List<String> unseen = texts.subList(40, TEXTS);
        TrainingOptions options = options(DistillationLoss.COSINE).withEpochs(24);
        List<Double> losses = new ArrayList<>();
        try (TeacherSource data = source(taught, "bloom-be");
                TrainableModel model = student(options);
                BiEncoder encoder = BiEncoder.of(model.model(), ENCODING)) {
            Matrix teacher = Matrix.of(teach("bloom-be", unseen));
            // A student that knows nothing of a text can still answer with what all texts have in common.
            float[] mean = new float[data.dimension()];
            for (float[] row : teach("bloom-be", taught)) {
                for (int i = 0; i < mean.length; i++) {
                    mean[i] += row[i];
                }
            }
            float[][] same = Collections.nCopies(unseen.size(), mean).toArray(float[][]::new);
            double ignorant = CosineLoss.of(Matrix.of(same), teacher).loss();
            Trainer trainer = new Trainer(model, data, options);
            trainer.train(step -> losses.add(step.loss()));
            assertTrue(losses.getLast() < losses.getFirst() / 10, losses::toString);
            Matrix projection = Matrix.over(
                    data.dimension(),
                    model.dimension(),
                    tensor(trainer, Distillation.PROJECTION).values());
            double after = ProjectedCosineLoss.of(Matrix.of(encoder.embed(unseen)), projection, teacher)
                    .loss();
            assertTrue(after < ignorant, "unseen texts: %s, answering the same to all %s".formatted(after, ignorant));
        }
    }

    @Test
    void embeddingsOfTheSameLengthBecomeComparable() throws IOException {
        List<String> unseen = texts.subList(40, TEXTS);
        TrainingOptions options = options(DistillationLoss.COSINE).withEpochs(12);
        try (TeacherSource data = source(texts.subList(0, 40), "llama-be");
                TrainableModel model = student(options);
                BiEncoder encoder = BiEncoder.of(model.model(), ENCODING)) {
            Matrix teacher = Matrix.of(teach("llama-be", unseen));
            double before =
                    CosineLoss.of(Matrix.of(encoder.embed(unseen)), teacher).loss();
            Trainer trainer = new Trainer(model, data, options);
            assertEquals(
                    trainer.parameters().size(),
                    trainer.state().optimizer().tensors().size());
            trainer.train(TrainingListener.NONE);
            double after =
                    CosineLoss.of(Matrix.of(encoder.embed(unseen)), teacher).loss();
            assertTrue(after < before / 2, "unseen texts: from %s to %s".formatted(before, after));
        }
    }

    private Path run(String name, TrainingOptions options, long interruptedAfter) throws IOException {
        Path output = folder.resolve(name).resolve("made");
        boolean interrupted = false;
        for (boolean resumed : new boolean[] {false, true}) {
            try (TeacherSource data = source(texts, "bloom-be");
                    TrainableModel model = student(options);
                    TrainingRun run = resumed
                            ? TrainingRun.resume(model, data, options, RunOptions.DEFAULT, output)
                            : TrainingRun.begin(model, data, options, RunOptions.DEFAULT, output)) {
                run.run(new RunListener() {
                    @Override
                    public void onStep(TrainingStep step) {
                        if (step.step() == interruptedAfter) {
                            Thread.currentThread().interrupt();
                        }
                    }
                });
                break;
            } catch (CancelledException e) {
                assertTrue(Thread.interrupted());
                interrupted = true;
            }
        }
        assertEquals(interruptedAfter > 0, interrupted);
        return output;
    }

    @Test
    void aTrainingThatContinuesGivesTheSameBitsAndDropsTheProjection() throws IOException {
        LoraOptions lora = new LoraOptions(2, 4, Set.of(LoraOptions.ALL_LINEAR));
        for (TrainingMethod method : List.of(TrainingMethod.BITFIT, TrainingMethod.LORA)) {
            TrainingOptions options =
                    options(DistillationLoss.BOTH).withMethod(method).withLora(lora);
            Path whole = run(method + "-whole", options, 0);
            Path parts = run(method + "-parts", options, 3);
            String weights = "model.safetensors";
            assertArrayEquals(Files.readAllBytes(whole.resolve(weights)), Files.readAllBytes(parts.resolve(weights)));
            assertFalse(Files.readString(whole.resolve("biases.safetensors"), StandardCharsets.ISO_8859_1)
                    .contains(Distillation.PROJECTION));
            if (method == TrainingMethod.LORA) {
                assertFalse(Files.readString(
                                whole.resolve("adapter/adapter_model.safetensors"), StandardCharsets.ISO_8859_1)
                        .contains(Distillation.PROJECTION));
            }
            String card = Files.readString(whole.resolve("README.md"));
            assertTrue(card.contains("48 texts with embeddings of a teacher, of 96 numbers each"), card);
            assertTrue(card.contains("| distill | both |"), card);
            assertFalse(card.contains("| scale |"), card);
            assertFalse(Files.readString(whole.resolve("curve.jsonl")).contains("accuracy"));
        }
    }

    @Test
    void kindsOfTextsAreFramedDifferently() throws IOException {
        List<Double> losses = new ArrayList<>();
        for (TextKind kind : TextKind.values()) {
            TrainingOptions options = options(DistillationLoss.SIMILARITY)
                    .withShuffle(false)
                    .withDistillation(DistillationOptions.DEFAULT.withKind(kind));
            try (TeacherSource data = source(texts, "bloom-be");
                    TrainableModel model = TrainableModel.open(
                            MODELS.resolve(STUDENT), CPU, ENCODING.withSpecb(true), options::trains)) {
                losses.add(new Trainer(model, data, options).next().loss());
            }
        }
        assertEquals(3, Set.copyOf(losses).size(), losses::toString);
    }

    @Test
    void dataAndOptionsMustFit() throws IOException {
        TrainingOptions options = options(DistillationLoss.BOTH);
        Path rows =
                Files.writeString(folder.resolve("rows.jsonl"), "{\"query\": \"a\", \"positive\": \"b\"}\n".repeat(8));
        try (TeacherSource data = source(texts, "bloom-be");
                TripleSource triples = TrainingData.open(rows, DataForm.ROWS, DataOptions.DEFAULT);
                TrainableModel model = student(options)) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Trainer(model, data, TrainingOptions.DEFAULT.withBatchSize(8)));
            assertThrows(IllegalArgumentException.class, () -> new Trainer(model, triples, options));
            assertThrows(FormatException.class, () -> new Trainer(model, data, options.withBatchSize(TEXTS + 1)));
        }
        assertThrows(IllegalArgumentException.class, () -> DistillationOptions.DEFAULT.withSimilarityWeight(0));
        assertThrows(
                IllegalArgumentException.class, () -> DistillationOptions.DEFAULT.withSimilarityWeight(Double.NaN));
    }
}
