package io.github.sgpt4j.training;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.training.data.Batch;
import io.github.sgpt4j.training.data.BatchOptions;
import io.github.sgpt4j.training.data.BatchPosition;
import io.github.sgpt4j.training.data.Batches;
import io.github.sgpt4j.training.data.Triple;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.loss.ContrastiveLoss;
import io.github.sgpt4j.training.loss.Matrix;
import io.github.sgpt4j.training.optimizer.AdamW;
import io.github.sgpt4j.training.optimizer.GradientNorm;
import io.github.sgpt4j.training.optimizer.Parameter;
import io.github.sgpt4j.training.parameters.LowRankParameters;
import io.github.sgpt4j.training.parameters.StoredParameters;
import io.github.sgpt4j.training.parameters.TrainedParameters;
import io.github.sgpt4j.training.step.BatchGradients;
import io.github.sgpt4j.training.step.EmbeddingLoss;
import io.github.sgpt4j.training.step.TextColumn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Trains a model with a contrastive loss: the embedding of an anchor shall be closer to its positive's than to those
/// of
/// all other texts of the batch (SGPT: Muennighoff 2022, arXiv:2202.08904, section 4).
///
/// Used by one thread. The same model, data and options give the same bits on the same device, for any number of CPU
/// threads.
public final class Trainer {
    private final TrainableModel model;
    private final TrainingOptions options;
    private final Batches batches;
    private final BatchGradients gradients;
    private final AdamW optimizer;
    private final EmbeddingLoss loss;
    private final List<TextKind> kinds;
    private final long totalSteps;
    private final long warmup;
    private final TrainedParameters parameters;
    private long step;

    /// Prepares the first step.
    ///
    /// @param model opened for training; borrowed
    /// @param data borrowed
    /// @throws FormatException if the data do not fill a batch, or the model has nothing to train
    public Trainer(TrainableModel model, TripleSource data, TrainingOptions options) {
        this.model = model;
        this.options = options;
        if (model.tensors().isEmpty()) {
            throw new FormatException("%s: the model has no tensor that the method %s trains, use full"
                    .formatted(model.model().directory(), options.method().title()));
        }
        batches = new Batches(
                data,
                new BatchOptions(options.batchSize(), options.shuffle(), true, options.noDuplicates(), options.seed()));
        totalSteps = options.steps().orElse(Math.multiplyExact(batches.perEpoch(), options.epochs()));
        warmup = options.warmup().of(totalSteps);
        gradients = new BatchGradients(
                model,
                options.gradCache(),
                options.batchTokens().orElse(model.model().batchTokens()));
        loss = contrastive(options.scale());
        kinds = new ArrayList<>(List.of(TextKind.QUERY, TextKind.DOCUMENT));
        for (int i = 0; i < data.negatives(); i++) {
            kinds.add(TextKind.DOCUMENT);
        }
        parameters = options.method() == TrainingMethod.LORA
                ? new LowRankParameters(model, options.lora(), options.weightDecay(), options.seed())
                : new StoredParameters(model, options.decayRule(), options.weightDecay());
        optimizer = new AdamW(options.optimizer(), parameters.parameters());
    }

    private static EmbeddingLoss contrastive(double scale) {
        ContrastiveLoss contrastive = new ContrastiveLoss(scale);
        return embeddings -> {
            ContrastiveLoss.Result result =
                    contrastive.of(embeddings.getFirst(), embeddings.subList(1, embeddings.size()));
            List<float[][]> gradients = new ArrayList<>();
            gradients.add(result.anchors().toFloats());
            result.candidates().stream().map(Matrix::toFloats).forEach(gradients::add);
            return new EmbeddingLoss.Result(result.loss(), result.first(), gradients);
        };
    }

    /// Number of steps of the whole training.
    public long totalSteps() {
        return totalSteps;
    }

    /// Number of steps taken.
    public long step() {
        return step;
    }

    /// What the optimizer changes: stored tensors, or the factors of [TrainingMethod#LORA]. The values change with the
    /// next step.
    public List<Parameter> parameters() {
        return optimizer.parameters();
    }

    /// Where the training stands.
    public TrainingState state() {
        return new TrainingState(step, batches.position(), optimizer.state());
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
        batches.seek(state.position());
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
        BatchPosition before = batches.position();
        try {
            return step(batches.next(), start);
        } catch (RuntimeException | Error e) {
            batches.seek(before);
            throw e;
        }
    }

    private TrainingStep step(Batch batch, long start) {
        model.clearGradients();
        BatchGradients.Outcome outcome = gradients.add(columns(batch.triples()), loss);
        requireFinite("loss", outcome.loss());
        List<double[]> read = parameters.gradients();
        GradientNorm norm = GradientNorm.of(read);
        requireFinite("norm of gradients", norm.value());
        double factor = norm.factor(options.clip());
        double rate = options.learningRate() * options.schedule().factor(step, warmup, totalSteps);
        optimizer.step(rate, factor, read);
        step++;
        parameters.apply();
        int rows = batch.triples().size();
        return new TrainingStep(
                step,
                totalSteps,
                (double) step / batches.perEpoch(),
                rows,
                outcome.loss(),
                (double) outcome.first() / rows,
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

    private List<TextColumn> columns(List<Triple> triples) {
        return IntStream.range(0, kinds.size())
                .mapToObj(column -> new TextColumn(
                        kinds.get(column),
                        triples.parallelStream()
                                .map(text(column))
                                .map(text -> model.tokens(text, kinds.get(column)))
                                .toList()))
                .toList();
    }

    private static Function<Triple, String> text(int column) {
        return switch (column) {
            case 0 -> Triple::anchor;
            case 1 -> Triple::positive;
            default -> triple -> triple.negatives().get(column - 2);
        };
    }
}
