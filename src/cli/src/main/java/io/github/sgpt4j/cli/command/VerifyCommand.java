package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.eval.EvalProgress;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.ReportFormat;
import io.github.sgpt4j.cli.progress.MegabyteProgress;
import io.github.sgpt4j.retrieval.IndexReport;
import io.github.sgpt4j.retrieval.IndexVerifier;
import io.github.sgpt4j.retrieval.ModelIdentity;
import io.github.sgpt4j.weightstools.Verifier;
import io.github.sgpt4j.weightstools.VerifyReport;
import io.github.sgpt4j.weightstools.VerifyReport.Finding;
import io.github.sgpt4j.weightstools.VerifyReport.Severity;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `sgpt verify`: checks that a checkpoint or an index is complete and consistent.
@Command(
        name = "verify",
        versionProvider = VersionProvider.class,
        description = {
            "Check a checkpoint without running it: file hashes where they are known (Hugging Face cache,"
                    + " hf download, SHA256SUMS), shards against their index, tensors against the configuration,"
                    + " tokenizer against the embedding table.",
            "With --index, check an index instead, or every shard of a folder: the checksums of all files, words, texts,"
                    + " ids and vectors, and that MODEL built it, if one is given. The index may be written to meanwhile.",
            "Exit code 1 if something is wrong."
        },
        footer = {"", "Examples:", "  sgpt verify -m OWNER/NAME", "  sgpt verify --index news.index"})
public final class VerifyCommand extends ModelCommand {
    @Option(
            names = "--sums",
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description = "Hashes to compare with, in the format of sha256sum, names relative to the checkpoint"
                    + " (default: SHA256SUMS in the checkpoint, if it exists).")
    private @Nullable Path sums;

    @Option(
            names = "--index",
            paramLabel = "DIR",
            converter = Converters.Name.class,
            description = "The index, or folder of shards, to check.")
    private @Nullable String index;

    @Mixin
    private PromptOptions prompts = new PromptOptions();

    @Option(names = "--format", paramLabel = "FORMAT", description = "text, or json for one object (default: text).")
    private ReportFormat format = ReportFormat.TEXT;

    public VerifyCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        if (index != null) {
            verifyIndex(TextInput.path(index));
            return;
        }
        refuse("with verify, which checks one directory", "--base-model", BIASES);
        refuse("without --index", PromptOptions.NAMES.toArray(String[]::new));
        VerifyReport report;
        try (MegabyteProgress progress = new MegabyteProgress(console(), common().quiet(), "Verifying")) {
            report = Verifier.verify(locateModel(), Optional.ofNullable(sums), progress::to);
        }
        try (Output out = Output.open(console(), Optional.empty())) {
            write(report, out.stream());
            out.finish();
        }
        requireSound(report);
    }

    private void verifyIndex(Path path) throws IOException {
        LuceneLog.silence();
        refuse("with --index", "--sums");
        requireOnePrompt(prompts, TextKind.QUERY);
        Optional<ModelIdentity> model = Optional.empty();
        if (modelName().isPresent()) {
            model = Optional.of(identity());
        } else {
            refuse("with --index without -m", "--base-model", BIASES);
            refuse("with --index without -m", PromptOptions.NAMES.toArray(String[]::new));
        }
        IndexReport report;
        try (EvalProgress progress = new EvalProgress(console(), common().quiet())) {
            report = IndexVerifier.verify(
                    path, model, (task, done, total) -> progress.update("Verifying " + task, done, total));
        }
        try (Output out = Output.open(console(), Optional.empty())) {
            write(report, out.stream());
            out.finish();
        }
        requireSound(report);
    }

    /// Computes nothing, so no device is needed.
    private ModelIdentity identity() throws IOException {
        try (Model model = open((directory, options) -> Model.open(directory, options.withDevice("cpu")));
                BiEncoder encoder = BiEncoder.of(model, prompts.apply(common().biEncoder()))) {
            return ModelIdentity.of(encoder);
        }
    }

    private void write(IndexReport report, OutputStream out) throws IOException {
        switch (format) {
            case TEXT -> out.write(IndexReportRenderer.text(report).getBytes(StandardCharsets.UTF_8));
            case JSON -> {
                JsonLines json = new JsonLines(out);
                json.line(line -> IndexReportRenderer.json(report, line));
                json.flush();
            }
        }
    }

    private static void requireSound(IndexReport report) {
        List<String> wrong = report.checks().stream()
                .filter(check -> check.outcome() == IndexReport.Outcome.WRONG)
                .map(IndexReport.Check::message)
                .toList();
        if (!wrong.isEmpty()) {
            throw new CliException("%s: expected a sound index, got %s: %s%s"
                    .formatted(
                            report.path(),
                            wrong.size() == 1 ? "a problem" : "%,d problems, the first".formatted(wrong.size()),
                            wrong.getFirst(),
                            report.remedy().map("; %s"::formatted).orElse("")));
        }
    }

    private void write(VerifyReport report, OutputStream out) throws IOException {
        switch (format) {
            case TEXT -> out.write(VerifyRenderer.text(report).getBytes(StandardCharsets.UTF_8));
            case JSON -> {
                JsonLines json = new JsonLines(out);
                json.line(line -> VerifyRenderer.json(report, line));
                json.flush();
            }
        }
    }

    private void requireSound(VerifyReport report) {
        List<Finding> counted = report.findings().stream()
                .filter(finding -> common().strict() || finding.severity() == Severity.ERROR)
                .toList();
        if (!counted.isEmpty()) {
            throw new CliException("%s: expected a sound checkpoint, got %s: %s"
                    .formatted(
                            report.directory(),
                            counted.size() == 1 ? "a problem" : "%,d problems, the first".formatted(counted.size()),
                            counted.getFirst().message()));
        }
    }
}
