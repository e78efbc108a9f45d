package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.TrainingMethod;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.optimizer.AdamW;
import io.github.sgpt4j.training.optimizer.Schedule;
import io.github.sgpt4j.training.step.GradCache;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say how is trained.
final class TrainSettings {
    static final String EPOCHS = "--epochs";
    static final String STEPS = "--steps";
    static final String WARMUP = "--warmup";
    static final String WEIGHT_DECAY = "--weight-decay";
    static final String RECIPE = "--recipe";
    static final String SCALE = "--scale";

    @Option(
            names = RECIPE,
            paramLabel = "msmarco|nli",
            description =
                    "Settings of the SGPT paper for such data, unless options say otherwise. msmarco: batches of 256,"
                            + " rate 4e-4, 10 epochs, warm-up 1000, length 300, --specb; nli: batches of 1024, rate 3.2e-4, 1"
                            + " epoch, warm-up 10%%, length 75, --no-duplicates.")
    private @Nullable Recipe recipe;

    @Option(
            names = "--method",
            paramLabel = "bitfit|bitfit+wte|full|lora",
            converter = TrainConverters.Method.class,
            description =
                    "What is trained: biases, biases and token embeddings, everything, or products of low rank that are"
                            + " added to matrices (default: bitfit).")
    private @Nullable TrainingMethod method;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Rows of a batch (default: 256).")
    private @Nullable Integer batchSize;

    @Option(
            names = EPOCHS,
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "How often all rows are used (default: 1).")
    private @Nullable Integer epochs;

    @Option(
            names = STEPS,
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Number of batches in all, in place of --epochs.")
    private @Nullable Integer steps;

    @Option(
            names = "--lr",
            paramLabel = "X",
            converter = TrainConverters.LearningRate.class,
            description = "Learning rate after the warm-up (default: 4e-4).")
    private @Nullable Double learningRate;

    @Option(
            names = WARMUP,
            paramLabel = "N|N%%",
            converter = TrainConverters.Steps.class,
            description = "Steps over which the learning rate rises (default: 10%%).")
    private @Nullable StepCount warmup;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            converter = TrainConverters.ScheduleName.class,
            description = "constantlr, warmupconstant, warmuplinear, warmupcosine or warmupcosinewithhardrestarts"
                    + " (default: warmuplinear).")
    private @Nullable Schedule schedule;

    @Option(
            names = WEIGHT_DECAY,
            paramLabel = "X",
            converter = TrainConverters.WeightDecay.class,
            description = "Decay of weights; biases never decay (default: 0.01).")
    private @Nullable Double weightDecay;

    @Option(
            names = "--clip",
            paramLabel = "X",
            converter = TrainConverters.Clip.class,
            description = "Shorten gradients to this norm (default: 1).")
    private @Nullable Double clip;

    @Option(
            names = SCALE,
            paramLabel = "X",
            converter = TrainConverters.Scale.class,
            description = "What cosines are multiplied by in the loss (default: 20).")
    private @Nullable Double scale;

    @Option(
            names = "--optimizer",
            paramLabel = "adamw|adamw-torch",
            converter = TrainConverters.Optimizer.class,
            description = "AdamW as in the SGPT paper, or as in PyTorch (default: adamw).")
    private AdamW.@Nullable Form optimizer;

    @Option(
            names = "--duplicates",
            negatable = true,
            description = "Whether a text may occur more than once in a batch (default: it may).")
    private @Nullable Boolean duplicates;

    @Option(names = "--no-shuffle", description = "Use rows in the order of the file.")
    private boolean noShuffle;

    @Option(names = "--seed", paramLabel = "N", description = "Determines all that is random (default: 0).")
    private @Nullable Long seed;

    @Option(
            names = "--gradcache",
            paramLabel = "auto|always|never",
            description =
                    "Whether batches are computed twice, which needs less memory (default: auto, if they do not fit"
                            + " otherwise).")
    private GradCache gradCache = GradCache.AUTO;

    Optional<Recipe> recipe() {
        return Optional.ofNullable(recipe);
    }

    TrainingOptions options() {
        TrainingOptions options = recipe == null ? TrainingOptions.DEFAULT : recipe.options();
        options = with(options, method, TrainingOptions::withMethod);
        options = with(options, batchSize, TrainingOptions::withBatchSize);
        options = with(options, epochs, (all, value) -> all.withEpochs(value));
        options = with(options, steps, (all, value) -> all.withSteps(value));
        options = with(options, learningRate, TrainingOptions::withLearningRate);
        options = with(options, warmup, TrainingOptions::withWarmup);
        options = with(options, schedule, TrainingOptions::withSchedule);
        options = with(options, weightDecay, TrainingOptions::withWeightDecay);
        options = with(options, clip, TrainingOptions::withClip);
        options = with(options, scale, TrainingOptions::withScale);
        options = with(options, optimizer, TrainingOptions::withOptimizer);
        options = with(options, duplicates, (all, value) -> all.withNoDuplicates(!value));
        options = with(options, seed, TrainingOptions::withSeed);
        return options.withShuffle(!noShuffle).withGradCache(gradCache);
    }

    private static <T> TrainingOptions with(
            TrainingOptions options, @Nullable T given, BiFunction<TrainingOptions, T, TrainingOptions> change) {
        return given == null ? options : change.apply(options, given);
    }
}
