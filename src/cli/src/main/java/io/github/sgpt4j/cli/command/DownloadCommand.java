package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.option.ConvertConverters;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.QuietOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.progress.DownloadProgress;
import io.github.sgpt4j.weightstools.hub.Hub;
import io.github.sgpt4j.weightstools.hub.HubModel;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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

/// `sgpt download`: downloads a model from a hub into the local cache.
@Command(
        name = "download",
        versionProvider = VersionProvider.class,
        description = {
            "Download a model from the Hugging Face hub into the local cache, or update it there.",
            "Fetches only needed files that are missing. Prints the snapshot's directory."
        },
        footer = {
            "",
            "HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE work as in Hugging Face's own tools.",
            "",
            "Examples:",
            "  sgpt download OWNER/NAME",
            "  sgpt download OWNER/NAME@v1.0 --max-size 10GB"
        })
public final class DownloadCommand implements Callable<Integer> {
    private final Console console;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "OWNER/NAME[@REVISION]", description = "The model's name on the hub.")
    private String name = "";

    @Option(
            names = "--revision",
            paramLabel = "REVISION",
            description = "Branch, tag or commit (default: the one after @, otherwise main).")
    private @Nullable String revision;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Maximum number of files fetched at a time (default: ${DEFAULT-VALUE}).")
    private int parallel = HubOptions.DEFAULT.parallel();

    @Option(names = "--force", description = "Fetch existing files again.")
    private boolean force;

    @Option(
            names = "--min-rate",
            paramLabel = "SIZE",
            converter = ConvertConverters.Rate.class,
            description = "Minimum bytes per second over a minute, such as 10kB; 0 for no minimum (default: 10kB).")
    private long minRate = HubOptions.DEFAULT.minRate();

    @Option(
            names = "--max-size",
            paramLabel = "SIZE",
            converter = ConvertConverters.Size.class,
            description = "Maximum total size of the model's files, such as 500MB (default: no limit).")
    private long maxBytes = HubOptions.DEFAULT.maxBytes();

    @Option(names = "--strict", description = "Fail if the content of a file cannot be checked by a hash.")
    private boolean strict;

    @Mixin
    private QuietOptions notices = new QuietOptions();

    public DownloadCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        HubModel model = model();
        HubOptions options = options();
        ModelLocation location = new ModelLocation(console, notices.quiet(), strict);
        Path snapshot;
        try (DownloadProgress progress = new DownloadProgress(console, notices.quiet())) {
            snapshot = new Hub(location.settings()).download(model, options, progress);
        }
        // Convert pickled weights now rather than on first use, when there may be no time for it.
        location.readable(snapshot);
        try (Output out = Output.open(console, Optional.empty())) {
            out.stream().write((snapshot + "\n").getBytes(StandardCharsets.UTF_8));
            out.finish();
        }
        return 0;
    }

    private HubOptions options() {
        try {
            return HubOptions.DEFAULT
                    .withForce(force)
                    .withMinRate(minRate)
                    .withMaxBytes(maxBytes)
                    .withStrict(strict)
                    .withParallel(parallel);
        } catch (IllegalArgumentException e) {
            throw usage("--parallel: " + e.getMessage());
        }
    }

    private HubModel model() {
        HubModel model = HubModel.parse(name)
                .orElseThrow(() -> usage("expected OWNER/NAME or OWNER/NAME@REVISION, got \"%s\"".formatted(name)));
        if (revision == null) {
            return model;
        }
        if (name.contains("@") && !revision.equals(model.revision())) {
            throw usage("expected one revision, got %s and --revision %s".formatted(model.revision(), revision));
        }
        try {
            return model.withRevision(revision);
        } catch (IllegalArgumentException e) {
            throw usage("--revision: " + e.getMessage());
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
