package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.cli.command.ModelCommand;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.Interruption;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.training.TrainingMethod;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.data.TrainingSource;
import io.github.sgpt4j.training.objective.DistillationLoss;
import io.github.sgpt4j.training.optimizer.Schedule;
import io.github.sgpt4j.training.run.RunOptions;
import io.github.sgpt4j.training.run.RunResult;
import io.github.sgpt4j.training.run.TrainingRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `sgpt train`: fine-tunes a model.
@Command(
        name = "train",
        versionProvider = VersionProvider.class,
        description = "Fine-tune a model with a contrastive loss, as the SGPT paper does, or by distilling a teacher.",
        footer = {
            "",
            "Until the model is complete, DIR.training has the curve (curve.jsonl, curve.svg) and the last state. SIGTERM"
                    + " and Ctrl-C save the state and exit with code 130; the same command with --resume goes on, to the"
                    + " same bits, also after a kill. Prints the directory of the model.",
            "",
            "Examples:",
            "  sgpt train --data pairs.jsonl --output trained",
            "  sgpt train -m OWNER/NAME --data pairs.jsonl --output trained --epochs 2 --dev dev.jsonl"
        })
public final class TrainCommand extends ModelCommand {
    /// Seconds between two lines where there is no terminal.
    private static final double LINE_SECONDS = 30;

    private final CompletableFuture<Integer> exit;

    @Mixin
    private DataSettings rows = new DataSettings();

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            converter = Converters.PathName.class,
            description = "Directory for the trained model, which must not exist. If queries and documents are put in"
                    + " brackets, its name should contain \"specb\", since other software knows it by that.")
    private Path output = Path.of("");

    @Mixin
    private DistillSettings distillation = new DistillSettings();

    @Mixin
    private TrainSettings settings = new TrainSettings();

    @Mixin
    private LoraSettings lora = new LoraSettings();

    @Option(
            names = "--specb",
            negatable = true,
            description = "Put queries and documents in brackets, or not (default: as the model, or with --recipe"
                    + " msmarco).")
    private @Nullable Boolean specb;

    @Option(
            names = "--pooling",
            paramLabel = "NAME",
            converter = Converters.PoolingName.class,
            description = "weightedmean, mean, lasttoken, cls, max or mean_sqrt_len_tokens (default: as the checkpoint"
                    + " specifies, otherwise weightedmean).")
    private @Nullable Pooling pooling;

    @Option(
            names = "--max-length",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Maximum tokens of a text (default: that of the recipe, otherwise of the model).")
    private @Nullable Integer maxLength;

    @Mixin
    private RunSettings running = new RunSettings();

    /// @param exit completed with the exit code when everything has been said
    public TrainCommand(Console console, CompletableFuture<Integer> exit) {
        super(console);
        this.exit = exit;
    }

    @Override
    public void run() throws IOException {
        TrainingOptions options = checked();
        LuceneLog.silence();
        if (running.resume()) {
            TrainingRun.requireUnfinished(output);
        } else {
            TrainingRun.requireNew(output);
        }
        Optional<DataForm> form = distillation.loss().isPresent() ? Optional.empty() : Optional.of(rows.form());
        if (form.isPresent() && form.get() != DataForm.MSMARCO) {
            refuse(
                    "with data of the form " + form.get().name().toLowerCase(Locale.ROOT),
                    DataSettings.NEGATIVES_PER_SYSTEM,
                    DataSettings.MARGIN);
        }
        try (TrainingSource<?> data =
                        form.isPresent() ? rows.open(options.seed()) : rows.openTaught(distillation.teacher());
                Evaluations evaluations = Evaluations.open(running, rows, options, givenOptions());
                TrainableModel model = openTrainable(options)) {
            data.notices().forEach(this::notice);
            evaluations.notices().forEach(this::notice);
            RunOptions kept = new RunOptions(
                    running.saveEvery(), running.evaluateEvery(), running.keep(), evaluations.all(), described(form));
            report(train(model, data, options, kept), model);
        }
    }

    /// Refuses options that contradict each other or have no effect together.
    private TrainingOptions checked() {
        TrainingOptions options = distillation.addTo(lora.addTo(settings.options()));
        if (given(BIASES)) {
            throw usage("%s cannot be trained further: expected a complete model, which sgpt merge makes of them"
                    .formatted(BIASES));
        }
        if (given(TrainSettings.EPOCHS) && given(TrainSettings.STEPS)) {
            throw usage("expected either %s or %s, got both".formatted(TrainSettings.EPOCHS, TrainSettings.STEPS));
        }
        if (options.schedule() == Schedule.CONSTANT) {
            refuse("with --schedule " + options.schedule().title(), TrainSettings.WARMUP);
        }
        if (options.method() == TrainingMethod.BITFIT) {
            refuse("with --method " + options.method().title(), TrainSettings.WEIGHT_DECAY);
        }
        if (options.method() != TrainingMethod.LORA) {
            refuse(
                    "with --method " + options.method().title(),
                    LoraSettings.RANK,
                    LoraSettings.ALPHA,
                    LoraSettings.TARGETS);
        }
        checkDistillation();
        if (!running.isMeasured()) {
            String without = "without %s, %s or %s".formatted(RunSettings.DEV, RunSettings.EVAL, RunSettings.STS);
            refuse(without, RunSettings.EVAL_EVERY);
            if (running.keepsBest()) {
                throw usage("%s best cannot be decided %s".formatted(RunSettings.KEEP, without));
            }
        }
        return common().batchTokens().isPresent()
                ? options.withBatchTokens(common().batchTokens().getAsInt())
                : options;
    }

    private void checkDistillation() {
        if (distillation.loss().isEmpty()) {
            refuse(
                    "without " + DistillSettings.DISTILL,
                    DistillSettings.TEACHER,
                    DistillSettings.SIMILARITY_WEIGHT,
                    DistillSettings.AS);
            return;
        }
        DistillationLoss loss = distillation.loss().get();
        String with = "with %s %s".formatted(DistillSettings.DISTILL, loss.title());
        refuse(
                with,
                TrainSettings.RECIPE,
                TrainSettings.SCALE,
                DataSettings.FORM,
                DataSettings.NEGATIVES,
                DataSettings.NEGATIVES_PER_SYSTEM,
                DataSettings.MARGIN);
        if (loss != DistillationLoss.BOTH) {
            refuse(with, DistillSettings.SIMILARITY_WEIGHT);
        }
    }

    /// @param form of the data; empty for those of a teacher
    private Map<String, String> described(Optional<DataForm> form) {
        Map<String, String> described = new TreeMap<>(form.map(rows::described).orElse(Map.of()));
        described.put("dtype", common().modelOptions().dtype().toString());
        return described;
    }

    private TrainableModel openTrainable(TrainingOptions options) throws IOException {
        List<String> notices = new ArrayList<>();
        try {
            TrainableModel model = open((directory, modelOptions) -> {
                notices.clear();
                return TrainableModel.open(
                        directory, modelOptions, opened -> encoding(opened, notices), options::trains);
            });
            try {
                announce(model.model());
                notices.forEach(this::notice);
                return model;
            } catch (RuntimeException e) {
                model.close();
                throw e;
            }
        } catch (IllegalArgumentException e) {
            if (maxLength == null) {
                throw e;
            }
            throw new CliException("--max-length: %s".formatted(e.getMessage()), e);
        }
    }

    private BiEncoderOptions encoding(Model model, List<String> notices) {
        BiEncoderOptions encoding = common().biEncoder();
        if (pooling != null) {
            encoding = encoding.withPooling(pooling);
        }
        Optional<Boolean> brackets =
                Optional.ofNullable(specb).or(() -> settings.recipe().flatMap(Recipe::specb));
        if (brackets.isPresent()) {
            encoding = encoding.withSpecb(brackets.get());
        }
        if (maxLength != null) {
            return encoding.withMaxLength(maxLength);
        }
        if (settings.recipe().isEmpty()) {
            return encoding;
        }
        int wanted = settings.recipe().get().maxLength();
        int longest = TrainableModel.longest(model);
        if (longest < wanted) {
            notices.add("the model has %,d positions: texts are cut there, not at the %,d tokens of the recipe"
                    .formatted(longest, wanted));
        }
        return encoding.withMaxLength(Math.min(longest, wanted));
    }

    private RunResult train(TrainableModel model, TrainingSource<?> data, TrainingOptions options, RunOptions kept)
            throws IOException {
        try (TrainingRun run = running.resume()
                        ? TrainingRun.resume(model, data, options, kept, output)
                        : TrainingRun.begin(model, data, options, kept, output);
                TrainProgress progress =
                        new TrainProgress(console(), common().quiet(), LINE_SECONDS, run.step(), run.totalSteps());
                Interruption _ = Interruption.ofThisThread(exit)) {
            notice(String.format(
                    Locale.ROOT,
                    "%s %,d numbers of %,d tensors with %,d rows: step %,d of %,d",
                    running.resume() ? "going on with training" : "training",
                    run.trainedNumbers(),
                    model.tensors().size(),
                    data.rows(),
                    run.step(),
                    run.totalSteps()));
            notice(MemoryLine.of(run.memory(), model.model().device()));
            run.notices().forEach(this::notice);
            return run.run(progress);
        } catch (CancelledException e) {
            throw CliException.interrupted("%s; the same command with --resume goes on".formatted(e.getMessage()), e);
        }
    }

    private void report(RunResult result, TrainableModel model) throws IOException {
        try (Output out = Output.open(console(), Optional.empty())) {
            out.stream().write((result.model() + "\n").getBytes(StandardCharsets.UTF_8));
            out.finish();
        }
        notice(String.format(
                Locale.ROOT, "%s: the model after step %,d of %,d", result.model(), result.chosen(), result.steps()));
        result.after().forEach((name, after) -> {
            Double before = result.before().get(name);
            notice(
                    before == null
                            ? String.format(Locale.ROOT, "%s: %.4f", name, after)
                            : String.format(Locale.ROOT, "%s: %.4f, before training %.4f", name, after, before));
        });
        result.notices().forEach(this::notice);
        Truncations.of(model).forEach(this::notice);
    }
}
