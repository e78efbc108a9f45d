package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.QuietOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.progress.MegabyteProgress;
import io.github.sgpt4j.weightstools.ConvertReport;
import io.github.sgpt4j.weightstools.Converter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `sgpt merge`: makes a complete checkpoint of a base model and trained tensors.
@Command(
        name = "merge",
        versionProvider = VersionProvider.class,
        description = {
            "Make a complete checkpoint of a base model and trained tensors (biases.safetensors), without output head.",
            "It embeds as the two do together (sgpt embed -m MODEL --biases FILE). Prints the names of the files written."
                    + " A LoRA adapter alone is merged by sgpt convert."
        },
        footer = {
            "",
            "Examples:",
            "  sgpt merge --biases biases.safetensors --output merged",
            "  sgpt merge -m OWNER/NAME --biases biases.safetensors --output merged"
        })
public final class MergeCommand implements Callable<Integer> {
    private final Console console;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description =
                    "Base model, a checkpoint directory or OWNER/NAME[@REVISION] (default: the small built-in model).")
    private @Nullable String model;

    @Option(
            names = "--base-model",
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description =
                    "If MODEL is an adapter, the model that it adapts (default: the one in its adapter_config.json).")
    private @Nullable String baseModel;

    @Option(
            names = ModelCommand.BIASES,
            required = true,
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description = "The trained tensors.")
    private Path biases = Path.of("");

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            converter = Converters.PathName.class,
            description = "Directory for the checkpoint, which must not exist.")
    private Path output = Path.of("");

    @Mixin
    private QuietOptions notices = new QuietOptions();

    public MergeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        ModelLocation location = new ModelLocation(console, notices.quiet(), false);
        Path source = location.readable(location.find(Optional.ofNullable(model)));
        Optional<Path> base = location.base(source, Optional.ofNullable(baseModel));
        ConvertReport report;
        try (MegabyteProgress progress = new MegabyteProgress(console, notices.quiet(), "Merging")) {
            report = Converter.mergeBiases(source, base, biases, output, Optional.empty(), progress::to);
        }
        new ConvertReportPrinter(console, notices.quiet()).print(report);
        return 0;
    }
}
