package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.weightstools.ConvertReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/// Prints what a conversion did: the files on standard output, the rest on standard error.
///
/// @param quiet whether to print the files only
record ConvertReportPrinter(Console console, boolean quiet) {
    void print(ConvertReport report) throws IOException {
        if (!quiet) {
            printNotices(report);
        }
        try (Output out = Output.open(console, Optional.empty())) {
            for (Path file : report.files()) {
                out.stream().write((file + "\n").getBytes(StandardCharsets.UTF_8));
            }
            out.finish();
        }
    }

    private void printNotices(ConvertReport report) {
        report.notices().forEach(console::say);
        console.say("wrote %,d tensors, %,d bytes".formatted(report.tensors(), report.bytes()));
        report.tied().forEach((name, kept) -> console.say("%s equals %s and is stored once".formatted(name, kept)));
        if (!report.droppedBuffers().isEmpty()) {
            console.say("left out %d buffers, which models recompute: %s"
                    .formatted(report.droppedBuffers().size(), String.join(", ", report.droppedBuffers())));
        }
    }
}
