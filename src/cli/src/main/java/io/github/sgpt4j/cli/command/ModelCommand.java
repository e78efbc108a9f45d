package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.option.CommonOptions;
import io.github.sgpt4j.cli.option.Converters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// A verb that works with a model.
public abstract class ModelCommand implements Callable<Integer> {
    /// What says which model computes, and how.
    public static final List<String> MODEL_OPTIONS =
            List.of("--model", "--base-model", "--device", "--dtype", "--batch-tokens", "--threads");

    private final Console console;

    /// Models that were opened; closed by now, perhaps.
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
            description = "Base model of an adapter, named like MODEL (default: what its adapter_config.json names).")
    private @Nullable String baseModel;

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

    /// Where the model is that was asked for, as published: downloaded if need be, but not converted.
    ///
    /// @throws IOException if it cannot be downloaded
    public final Path locateModel() throws IOException {
        return location().find(modelName());
    }

    private ModelLocation location() {
        return new ModelLocation(console, common.quiet(), common.strict());
    }

    /// Opens the model that was asked for; the caller closes it. A hub's model is downloaded first, and a checkpoint
    /// with pickled weights only is converted, if that has not happened yet.
    ///
    /// @throws IOException if it cannot be downloaded, or the converted weights cannot be written
    public final Model openModel() throws IOException {
        Model opened = open(Model::open);
        used.add(opened);
        opened.deviceNotice().ifPresent(this::notice);
        try {
            opened.notices().forEach(this::checkpointNotice);
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
        return opened;
    }

    /// Opens what the verb needs of the model that was asked for. Where that fails because a conversion in the cache is
    /// damaged, it is made again first.
    ///
    /// @param opening takes the checkpoint directory and how it is opened
    /// @throws IOException as [#openModel]
    public final <T> T open(BiFunction<Path, ModelOptions, T> opening) throws IOException {
        return location().open(locateModel(), Optional.ofNullable(baseModel), common.modelOptions(), opening);
    }

    /// An encoder that scores with an open model, once people have heard what they should know; the caller closes it.
    public final CrossEncoder scorer(Model opened, CrossEncoderOptions options) {
        CrossEncoder encoder = CrossEncoder.of(opened, options);
        encoder.notices().forEach(this::checkpointNotice);
        return encoder;
    }

    /// Says something that is no error, unless it is to be quiet.
    public final void notice(String line) {
        if (!common.quiet()) {
            console.say(line);
        }
    }

    /// Says something about the checkpoint or its texts that may change what comes out; an error with `--strict`.
    public final void checkpointNotice(String line) {
        if (common.strict()) {
            throw new CliException("%s (an error with --strict)".formatted(line));
        }
        notice(line);
    }

    /// Says that re-ranking does not help, if that is known of the model that was asked for.
    public final void warnOfReranking() {
        if (modelName().isEmpty()) {
            notice("re-ranking with the built-in model, which was not trained for it, makes results worse;"
                    + " name another with -m");
        }
    }

    /// Whether an option was given.
    public final boolean given(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /// Refuses options that would be without effect.
    ///
    /// @param where where they mean nothing, as the end of a sentence
    public final void refuse(String where, String... options) {
        for (String option : options) {
            if (given(option)) {
                throw usage("%s means nothing %s".formatted(option, where));
            }
        }
    }

    /// Says which options about a model are without effect.
    ///
    /// @param work what needs no model
    public final void noticeUnusedModel(String work) {
        List<String> unused = MODEL_OPTIONS.stream().filter(this::given).toList();
        if (!unused.isEmpty()) {
            notice("%s needs no model: ignored: %s".formatted(work, String.join(", ", unused)));
        }
    }

    /// An error in how the command was called.
    public final ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
