package io.github.sgpt4j.training;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.training.data.BatchOptions;
import io.github.sgpt4j.training.data.BatchPosition;
import io.github.sgpt4j.training.data.Batches;
import io.github.sgpt4j.training.data.TeacherSource;
import io.github.sgpt4j.training.data.TextRow;
import io.github.sgpt4j.training.data.TrainingSource;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.objective.Contrast;
import io.github.sgpt4j.training.objective.Distillation;
import io.github.sgpt4j.training.objective.DistillationOptions;
import io.github.sgpt4j.training.objective.Objective;
import io.github.sgpt4j.training.optimizer.AdamW;
import io.github.sgpt4j.training.optimizer.GradientNorm;
import io.github.sgpt4j.training.optimizer.Parameter;
import io.github.sgpt4j.training.parameters.LowRankParameters;
import io.github.sgpt4j.training.parameters.StoredParameters;
import io.github.sgpt4j.training.parameters.TrainedParameters;
import io.github.sgpt4j.training.step.BatchGradients;
import io.github.sgpt4j.training.step.EmbeddingLoss;
import io.github.sgpt4j.training.step.TextColumn;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Trains a model. With triples, the loss is contrastive: the embedding of an anchor shall be closer to its positive's
/// than to those of all other texts of the batch (SGPT: Muennighoff 2022, arXiv:2202.08904, section 4). With a
/// teacher's embeddings, the model's shall follow them ([Distillation]).
///
/// Used by one thread. The same model, data and options give the same bits on the same devices, for any number of CPU
/// threads.
public final class Trainer {
    /// Of each number that is trained: its value, gradient and two running means in 64 bits.
    private static final int BYTES_PER_NUMBER = 4 * Double.BYTES;

    private final TrainableModel model;
    private final TrainingOptions options;
    private final Task<?> task;
    private final BatchGradients gradients;
    private final AdamW optimizer;
    private final long totalSteps;
    private final long warmup;
    private final TrainedParameters parameters;
    private long step;

    /// The batches of a training, and what is to be done with them.
    ///
    /// @param <R> what a row is
    private record Task<R extends TextRow>(Batches<R> batches, Objective<R> objective) {
        Lesson next() {
            List<R> rows = batches.next().contents();
            return new Lesson(rows.stream().map(TextRow::texts).toList(), objective.loss(rows));
        }
    }

    /// A batch.
    ///
    /// @param texts of each row
    private record Lesson(List<List<String>> texts, EmbeddingLoss loss) {}

    /// Prepares the first step.
    ///
    /// @param model opened for training; borrowed
    /// @param data a teacher's embeddings if the options say how to distil them, otherwise triples; borrowed
    /// @throws FormatException if the data do not fill a batch, or the model has nothing to train
    public Trainer(TrainableModel model, TrainingSource<?> data, TrainingOptions options) {
        this.model = model;
        this.options = options;
        if (options.method() == TrainingMethod.LORA) {
            options.lora().requireTargets(model.tensors());
        }
        if (model.tensors().isEmpty()) {
            throw new FormatException("%s: the model has no tensor that the method %s trains, use full"
                    .formatted(model.model().directory(), options.method().title()));
        }
        task = task(model, data, options);
        totalSteps = options.steps().orElse(Math.multiplyExact(task.batches().perEpoch(), options.epochs()));
        warmup = options.warmup().of(totalSteps);
        parameters = options.method() == TrainingMethod.LORA
                ? new LowRankParameters(model, options.lora(), options.weightDecay(), options.seed())
                : new StoredParameters(model, options.decayRule(), options.weightDecay());
        optimizer = new AdamW(
                options.optimizer(),
                both(parameters.parameters(), task.objective().parameters()));
        gradients = new BatchGradients(
                model.devices(),
                options.gradCache(),
                options.batchTokens().orElse(model.model().batchTokens()),
                heldBytes());
    }

    /// Bytes of the heap that parameters, gradients and optimizer hold.
    private long heldBytes() {
        return numbers() * BYTES_PER_NUMBER + parameters.otherBytes();
    }

    private static Task<?> task(TrainableModel model, TrainingSource<?> data, TrainingOptions options) {
        BatchOptions rows =
                new BatchOptions(options.batchSize(), options.shuffle(), true, options.noDuplicates(), options.seed());
        Optional<DistillationOptions> distillation = options.distillation();
        return switch (data) {
            case TripleSource triples -> {
                if (distillation.isPresent()) {
                    throw new IllegalArgumentException(
                            "%s: expected a teacher's embeddings to distil, got triples".formatted(data.name()));
                }
                yield new Task<>(new Batches<>(triples, rows), new Contrast(options.scale(), triples.negatives()));
            }
            case TeacherSource teacher ->
                new Task<>(
                        new Batches<>(teacher, rows),
                        new Distillation(
                                distillation.orElseThrow(() -> new IllegalArgumentException(
                                        "%s: expected triples, got a teacher's embeddings and no options to distil them"
                                                .formatted(data.name()))),
                                teacher.dimension(),
                                model.dimension(),
                                options.weightDecay(),
                                options.seed()));
        };
    }

    private static <T> List<T> both(List<T> first, List<T> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /// Number of steps of the whole training.
    public long totalSteps() {
        return totalSteps;
    }

    /// Number of steps taken.
    public long step() {
        return step;
    }

    /// What the optimizer changes of the model: stored tensors, or the factors of [TrainingMethod#LORA]. The values
    /// change with the next step.
    public List<Parameter> parameters() {
        return parameters.parameters();
    }

    /// How many numbers the optimizer changes, also those that are not the model's.
    public long numbers() {
        return optimizer.parameters().stream()
                .mapToLong(parameter -> parameter.values().length)
                .sum();
    }

    /// What the training needs of memory.
    public TrainingMemory memory() {
        List<TextKind> kinds = task.objective().kinds();
        int longest = kinds.stream().mapToInt(model::maxLength).max().orElseThrow();
        long batch = (long) options.batchSize()
                * kinds.stream().mapToLong(model::maxLength).sum();
        long trained = Float.BYTES
                * model.tensors().stream().mapToLong(TrainableTensor::elements).sum();
        return new TrainingMemory(
                model.weightBytes(),
                trained,
                gradients.mostTokens(batch, longest)
                        * model.devices().getFirst().bytesPerToken(),
                heldBytes(),
                trained);
    }

    /// Where the training stands.
    public TrainingState state() {
        return new TrainingState(step, task.batches().position(), optimizer.state());
    }

    /// Continues from a saved state.
    ///
    /// @throws IllegalArgumentException if it is the state of another training
    public void restore(TrainingState state) {
        if (state.step() > totalSteps || state.step() != state.optimizer().steps()) {
            throw new IllegalArgumentException(
                    "expected a state within %d steps, got one after %d steps, with %d of its optimizer"
                            .formatted(
                                    totalSteps, state.step(), state.optimizer().steps()));
        }
        if (state.position().batches() != state.step()) {
            throw new IllegalArgumentException("expected a batch for each of the %d steps, got %d"
                    .formatted(state.step(), state.position().batches()));
        }
        task.batches().seek(state.position());
        optimizer.restore(state.optimizer());
        step = state.step();
        parameters.apply();
    }

    /// Trains to the end.
    ///
    /// @throws CancelledException if this thread is interrupted: the last complete step counts
    /// @throws FormatException if a loss or a gradient is NaN or infinite: the step before is the last
    public void train(TrainingListener listener) {
        while (step < totalSteps) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CancelledException(
                        "training was interrupted after step %d of %d".formatted(step, totalSteps));
            }
            listener.onStep(next());
        }
    }

    /// Takes one step.
    ///
    /// @throws IllegalStateException if there is none left
    /// @throws CancelledException as [#train]
    /// @throws FormatException as [#train]
    public TrainingStep next() {
        if (step >= totalSteps) {
            throw new IllegalStateException("all %d steps have been taken".formatted(totalSteps));
        }
        long start = System.nanoTime();
        BatchPosition before = task.batches().position();
        try {
            return step(task.next(), start);
        } catch (RuntimeException | Error e) {
            task.batches().seek(before);
            throw e;
        }
    }

    private TrainingStep step(Lesson lesson, long start) {
        model.clearGradients();
        BatchGradients.Outcome outcome = gradients.add(columns(lesson.texts()), lesson.loss());
        requireFinite("loss", outcome.loss());
        List<double[]> read = both(parameters.gradients(), task.objective().gradients());
        GradientNorm norm = GradientNorm.of(read);
        requireFinite("norm of gradients", norm.value());
        double factor = norm.factor(options.clip());
        double rate = options.learningRate() * options.schedule().factor(step, warmup, totalSteps);
        optimizer.step(rate, factor, read);
        step++;
        parameters.apply();
        int rows = lesson.texts().size();
        return new TrainingStep(
                step,
                totalSteps,
                (double) step / task.batches().perEpoch(),
                rows,
                outcome.loss(),
                outcome.first().isPresent()
                        ? OptionalDouble.of((double) outcome.first().getAsInt() / rows)
                        : OptionalDouble.empty(),
                norm.value(),
                factor,
                rate,
                outcome.tokens(),
                outcome.cached(),
                (System.nanoTime() - start) * 1e-9);
    }

    private void requireFinite(String what, double value) {
        if (!Double.isFinite(value)) {
            throw new FormatException("step %d: expected a finite %s, got %s: %s"
                    .formatted(step + 1, what, value, "a lower learning rate, or clean data, may help"));
        }
    }

    private List<TextColumn> columns(List<List<String>> rows) {
        List<TextKind> kinds = task.objective().kinds();
        return IntStream.range(0, kinds.size())
                .mapToObj(column -> new TextColumn(
                        kinds.get(column),
                        rows.parallelStream()
                                .map(texts -> model.tokens(texts.get(column), kinds.get(column)))
                                .toList()))
                .toList();
    }
}
