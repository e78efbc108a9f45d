package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.MemoryNeed;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelInfo;
import io.github.sgpt4j.TensorInfo;
import io.github.sgpt4j.TensorStatistics;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.ReportFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `sgpt inspect`: shows facts about a checkpoint.
@Command(
        name = "inspect",
        versionProvider = VersionProvider.class,
        description = "Show facts about a checkpoint, where they come from, and how much memory it needs.",
        footer = {
            "",
            "Examples:",
            "  sgpt inspect -m OWNER/NAME",
            "  sgpt inspect -m checkpoint --tensors --format json"
        })
public final class InspectCommand extends ModelCommand {
    @Option(names = "--tensors", description = "List all stored tensors: name, type, shape, bytes, file.")
    private boolean tensors;

    @Option(
            names = "--scan",
            description =
                    "Read all weights, count NaN and infinity, and show the range of each tensor; exit code 1 if there"
                            + " are any.")
    private boolean scan;

    @Option(names = "--format", paramLabel = "FORMAT", description = "text, or json for one object (default: text).")
    private ReportFormat format = ReportFormat.TEXT;

    public InspectCommand(Console console) {
        super(console);
    }

    /// The results of an inspection.
    ///
    /// @param info facts
    /// @param memory the need for every device and type
    /// @param tensors all of them, if asked for
    /// @param statistics of every tensor of a type that models can use, if asked for
    public record Findings(
            ModelInfo info,
            List<MemoryNeed> memory,
            Optional<List<TensorInfo>> tensors,
            Optional<List<TensorStatistics>> statistics) {}

    @Override
    public void run() throws IOException {
        Findings findings;
        try (Model model = openModel()) {
            findings = new Findings(
                    model.info(),
                    model.memoryNeeds(common().batchTokens().orElseGet(model::batchTokens)),
                    tensors ? Optional.of(model.tensors()) : Optional.empty(),
                    scan ? Optional.of(model.scan()) : Optional.empty());
        }
        try (Output out = Output.open(console(), Optional.empty())) {
            write(findings, out.stream());
            out.finish();
        }
        requireFinite(findings.statistics().orElse(List.of()));
    }

    private void write(Findings findings, OutputStream out) throws IOException {
        switch (format) {
            case TEXT -> out.write(InspectText.render(findings).getBytes(StandardCharsets.UTF_8));
            case JSON -> {
                JsonLines json = new JsonLines(out);
                json.line(line -> InspectJson.write(findings, line));
                json.flush();
            }
        }
    }

    private static void requireFinite(List<TensorStatistics> all) {
        List<TensorStatistics> broken = all.stream().filter(s -> !s.isFinite()).toList();
        if (!broken.isEmpty()) {
            TensorStatistics first = broken.getFirst();
            throw new CliException(
                    "%s: tensor %s: expected finite numbers, got %,d NaN and %,d infinite, first at %,d%s"
                            .formatted(
                                    first.tensor().file(),
                                    first.tensor().name(),
                                    first.nan(),
                                    first.infinite(),
                                    first.firstNonFinite().orElse(0),
                                    broken.size() == 1
                                            ? ""
                                            : "; %,d more tensors have such values".formatted(broken.size() - 1)));
        }
    }
}
