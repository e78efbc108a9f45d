package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.option.CommonOptions;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.retrieval.filter.FilterNotices;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// A verb that uses a model.
public abstract class ModelCommand implements Callable<Integer> {
    /// The option that names trained tensors.
    public static final String BIASES = "--biases";

    /// The options that choose the model and how it is run.
    public static final List<String> MODEL_OPTIONS =
            List.of("--model", "--base-model", BIASES, "--device", "--dtype", "--batch-tokens", "--threads");

    private final Console console;

    /// Models that were opened, some of them possibly closed again.
    private final List<Model> used = new ArrayList<>();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description =
                    "Checkpoint directory, or OWNER/NAME[@REVISION] of a model on the Hugging Face hub, downloaded on"
                            + " first use (default: the small built-in model).")
    private @Nullable String model;

    @Option(
            names = "--base-model",
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description = "Base model of an adapter, given like MODEL (default: the one in its adapter_config.json).")
    private @Nullable String baseModel;

    @Option(
            names = BIASES,
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description =
                    "Trained tensors to use instead of the model's own (biases.safetensors), with the pooling, brackets"
                            + " and length that they were trained with.")
    private @Nullable Path biases;

    public ModelCommand(Console console) {
        this.console = console;
    }

    @Override
    public final Integer call() throws IOException {
        run();
        used.stream().flatMap(model -> model.noticesInUse().stream()).distinct().forEach(this::notice);
        return 0;
    }

    /// Does the verb's work.
    ///
    /// @throws IOException if reading or writing fails
    public abstract void run() throws IOException;

    public final Console console() {
        return console;
    }

    public final CommonOptions common() {
        return common;
    }

    public final Optional<String> modelName() {
        return Optional.ofNullable(model);
    }

    /// The directory of the requested model as published: downloaded if necessary, but not converted.
    ///
    /// @throws IOException if it cannot be downloaded
    public final Path locateModel() throws IOException {
        return location().find(modelName());
    }

    private ModelLocation location() {
        return new ModelLocation(console, common.quiet(), common.strict());
    }

    /// Opens the requested model; the caller closes it. A model on the hub is downloaded first, and a
    /// checkpoint with only pickled weights is converted, unless that has been done before.
    ///
    /// @throws IOException if it cannot be downloaded, or the converted weights cannot be written
    public final Model openModel() throws IOException {
        Model opened = open(Model::open);
        try {
            announce(opened);
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
        return opened;
    }

    /// Opens another model than the requested one, by its name; the caller closes it.
    ///
    /// @throws IOException as [#openModel]
    public final Model openOther(String name) throws IOException {
        ModelLocation location = location();
        Model opened =
                location.open(location.find(Optional.of(name)), Optional.empty(), common.modelOptions(), Model::open);
        try {
            announce(opened);
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
        return opened;
    }

    /// Prints the notices of a model that was opened, and those of its use in the end.
    public final void announce(Model opened) {
        used.add(opened);
        opened.deviceNotice().ifPresent(this::notice);
        opened.notices().forEach(this::checkpointNotice);
    }

    /// Opens what the verb needs of the requested model. If that fails because a conversion in the cache is
    /// damaged, converts again and retries.
    ///
    /// @param opening takes the checkpoint directory and the options for opening it
    /// @throws IOException as [#openModel]
    public final <T> T open(BiFunction<Path, ModelOptions, T> opening) throws IOException {
        ModelOptions options = common.modelOptions();
        return location()
                .open(
                        locateModel(),
                        Optional.ofNullable(baseModel),
                        biases == null ? options : options.withBiases(biases),
                        opening);
    }

    /// Prints what users should know about embeddings.
    public final void announce(BiEncoder encoder) {
        encoder.notices().forEach(this::checkpointNotice);
    }

    /// The key of a cache of results. Devices and number types round differently, and results of truncated texts must
    /// not be used with `--strict`.
    ///
    /// @param fingerprint of the encoder
    public final String cacheKey(Model opened, String fingerprint) {
        return "%s %s %s%s"
                .formatted(
                        fingerprint, opened.device(), common.modelOptions().dtype(), common.strict() ? " uncut" : "");
    }

    /// A cross-encoder with an open model, after its notices were printed; the caller closes it.
    public final CrossEncoder scorer(Model opened, CrossEncoderOptions options) {
        CrossEncoder encoder;
        try {
            encoder = CrossEncoder.of(opened, options);
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
        encoder.notices().forEach(this::checkpointNotice);
        return encoder;
    }

    /// Prints a notice, unless `--quiet` is given.
    public final void notice(String line) {
        common.notices(console).say(line);
    }

    /// Prints a notice about checkpoint, texts or metadata that may change results; an error with `--strict`.
    public final void checkpointNotice(String line) {
        common.notices(console).sayOfCheckpoint(line);
    }

    /// Prints which names of metadata no document has, so that they may be mistaken; an error with `--strict`.
    ///
    /// @param where what was searched for them
    public final void noticeAbsentMetadata(String where, Set<String> names) {
        if (!names.isEmpty()) {
            noticeMetadata(where, List.of(FilterNotices.absent(names)));
        }
    }

    /// Prints notices about metadata; errors with `--strict`.
    ///
    /// @param where what was searched
    public final void noticeMetadata(String where, List<String> sentences) {
        sentences.forEach(sentence -> checkpointNotice("%s: %s".formatted(where, sentence)));
    }

    /// Warns that re-ranking does not help, if the requested model is known to be bad at it.
    public final void warnAboutReranking() {
        if (modelName().isEmpty()) {
            notice("re-ranking with the built-in model, which was not trained for it, makes results worse;"
                    + " name another with -m");
        }
    }

    /// The verb as the user called it.
    public final CommandSpec spec() {
        return spec;
    }

    /// Whether an option was given.
    public final boolean given(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /// The longest names of all options that were given, in their order.
    public final List<String> givenOptions() {
        return spec.commandLine().getParseResult().matchedOptions().stream()
                .map(OptionSpec::longestName)
                .distinct()
                .toList();
    }

    /// Refuses options that would have no effect.
    ///
    /// @param where the circumstances, as the end of a sentence
    public final void refuse(String where, String... options) {
        for (String option : options) {
            if (given(option)) {
                throw usage("%s has no effect %s".formatted(option, where));
            }
        }
    }

    /// Prints which model options have no effect.
    ///
    /// @param work the operation that needs no model
    public final void noticeUnusedModel(String work) {
        List<String> unused = MODEL_OPTIONS.stream().filter(this::given).toList();
        if (!unused.isEmpty()) {
            notice("%s needs no model: ignored: %s".formatted(work, String.join(", ", unused)));
        }
    }

    /// Refuses two options for the prompt of the same texts.
    ///
    /// @param named the kind of texts that [PromptOptions#NAME] applies to
    public final void requireOnePrompt(PromptOptions prompts, TextKind named) {
        prompts.complaint(named).ifPresent(complaint -> {
            throw usage(complaint);
        });
    }

    /// A usage error.
    public final ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
