package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.progress.MegabyteProgress;
import io.github.sgpt4j.weightstools.ScoreConverter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// Converts MS MARCO's published scores of a cross-encoder.
///
/// @param quiet whether to print the file only
record ScoreConversion(Console console, boolean quiet) {
    private static final String NAME = "ce-scores.jsonl";

    /// Whether a name is that of a pickle of scores, not of a checkpoint's directory.
    static boolean isFor(Path source) {
        String name = source.toString().toLowerCase(Locale.ROOT);
        return !Files.isDirectory(source) && (name.endsWith(".pkl") || name.endsWith(".pkl.gz"));
    }

    /// The file to make.
    ///
    /// @param given a file or a folder
    static Path target(Path source, Optional<Path> given) {
        if (given.isEmpty()) {
            return source.resolveSibling(NAME);
        }
        return Files.isDirectory(given.get()) ? given.get().resolve(NAME) : given.get();
    }

    void run(Path source, Path target, boolean replace) throws IOException {
        ScoreConverter.Report report;
        try (MegabyteProgress progress = new MegabyteProgress(console, quiet, "Converting")) {
            report = ScoreConverter.convert(source, target, replace, progress::to);
        }
        if (!quiet) {
            console.say("wrote %,d scores of %,d queries".formatted(report.scores(), report.queries()));
        }
        try (Output out = Output.open(console, Optional.empty())) {
            out.stream().write((target + "\n").getBytes(StandardCharsets.UTF_8));
            out.finish();
        }
    }
}
