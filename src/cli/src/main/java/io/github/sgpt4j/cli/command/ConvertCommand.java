package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.option.ConvertConverters;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.QuietOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.progress.MegabyteProgress;
import io.github.sgpt4j.weightstools.ConvertOptions;
import io.github.sgpt4j.weightstools.ConvertReport;
import io.github.sgpt4j.weightstools.Converter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `sgpt convert`: converts pickled weights to safetensors and merges adapters into their base models.
@Command(
        name = "convert",
        versionProvider = VersionProvider.class,
        description = {
            "Convert a checkpoint's pickled weights (pytorch_model.bin) to safetensors. A LoRA adapter is merged into its"
                    + " base model if DST is given. MS MARCO's published scores of a cross-encoder become ce-scores.jsonl.",
            "No code from the checkpoint is run. Prints the names of the files written."
        },
        footer = {
            "",
            "Examples:",
            "  sgpt convert pytorch-checkpoint safetensors-checkpoint",
            "  sgpt convert checkpoint smaller --dtype bf16"
        })
public final class ConvertCommand implements Callable<Integer> {
    private static final String TYPE = "--dtype";
    private static final String MAX_SHARD_SIZE = "--max-shard-size";
    private static final String BASE_MODEL = "--base-model";

    private final Console console;

    @Parameters(
            index = "0",
            paramLabel = "SRC",
            converter = Converters.PathName.class,
            description = "Checkpoint directory, or a pickle of scores (.pkl, .pkl.gz).")
    private Path source = Path.of("");

    @Parameters(
            index = "1",
            paramLabel = "DST",
            arity = "0..1",
            converter = Converters.PathName.class,
            description =
                    "Directory for the converted checkpoint, with configuration and tokenizer; must be new or empty unless"
                            + " --force is given (default: SRC itself, safetensors beside the pickled files). For scores,"
                            + " the file, or its directory (default: ce-scores.jsonl beside SRC).")
    private @Nullable Path target;

    @Option(
            names = TYPE,
            paramLabel = "TYPE",
            converter = ConvertConverters.Type.class,
            description =
                    "Type of the stored weights: keep (unchanged; merged weights as in the base model), fp32, bf16 or fp16"
                            + " (default: keep).")
    private Dtype type = Dtype.AUTO;

    @Option(
            names = MAX_SHARD_SIZE,
            paramLabel = "SIZE",
            converter = ConvertConverters.Size.class,
            description = "Maximum size of one file, such as 5GB, 500MB or 2GiB (default: 5GB).")
    private long maxShardBytes = ConvertOptions.DEFAULT_MAX_SHARD_BYTES;

    @Option(names = "--force", description = "Replace existing files; write into a DST that is not empty.")
    private boolean force;

    @Option(
            names = BASE_MODEL,
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description =
                    "Base model to merge an adapter into, a directory or OWNER/NAME[@REVISION] (default: the one that its"
                            + " adapter_config.json names).")
    private @Nullable String baseModel;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private QuietOptions notices = new QuietOptions();

    public ConvertCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (ScoreConversion.isFor(source)) {
            convertScores();
        } else {
            new ConvertReportPrinter(console, notices.quiet()).print(convert());
        }
        return 0;
    }

    private void convertScores() throws IOException {
        for (String option : List.of(TYPE, MAX_SHARD_SIZE, BASE_MODEL)) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new ParameterException(
                        spec.commandLine(), "%s has no effect with %s, a pickle of scores".formatted(option, source));
            }
        }
        Path file = ScoreConversion.target(source, Optional.ofNullable(target));
        new ScoreConversion(console, notices.quiet()).run(source, file, force);
    }

    private ConvertReport convert() throws IOException {
        ConvertOptions options = new ConvertOptions(type, maxShardBytes, force);
        Path to = Optional.ofNullable(target).orElse(source);
        if (target == null || !Converter.isAdapter(source)) {
            if (baseModel != null) {
                throw new ParameterException(
                        spec.commandLine(),
                        target == null
                                ? "--base-model has no effect without DST, the directory for the merged checkpoint"
                                : "--base-model has no effect with %s, which is not an adapter".formatted(source));
            }
            try (MegabyteProgress progress = new MegabyteProgress(console, notices.quiet(), "Converting")) {
                return Converter.convert(source, to, options, progress::to);
            }
        }
        Optional<Path> base =
                new ModelLocation(console, notices.quiet(), false).base(source, Optional.ofNullable(baseModel));
        try (MegabyteProgress progress = new MegabyteProgress(console, notices.quiet(), "Merging")) {
            return Converter.merge(source, base, to, options, progress::to);
        }
    }
}
