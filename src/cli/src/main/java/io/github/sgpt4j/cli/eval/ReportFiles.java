package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.output.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// Where reports go: files whose name ends in `.html` or `.htm` are pages, all others JSON; and stdout.
///
/// @param console receives stdout
/// @param files as named by the user
public record ReportFiles(Console console, List<String> files) {
    public ReportFiles {
        files = List.copyOf(files);
    }

    /// Whether a file's name asks for a page.
    static boolean isPage(String file) {
        String name = file.toLowerCase(Locale.ROOT);
        return name.endsWith(".html") || name.endsWith(".htm");
    }

    /// What is wrong with the names; empty if nothing is.
    Optional<String> complaint() {
        if (files.contains("-")) {
            return Optional.of("--report: expected a file, got - (--format json writes the report to stdout)");
        }
        return files.stream().distinct().count() < files.size()
                ? Optional.of("--report: expected each file once, got " + String.join(", ", files))
                : Optional.empty();
    }

    /// Checks before the work that the files can be written.
    void check() throws IOException {
        for (String file : files) {
            Output.open(console, Optional.of(file)).close();
        }
    }

    /// Writes all reports, then the result to stdout.
    ///
    /// @param json the report as JSON
    /// @param page the report as a page, made if one is asked for
    /// @param text the result for stdout
    void write(byte[] json, Supplier<byte[]> page, byte[] text) throws IOException {
        for (String file : files) {
            write(Optional.of(file), isPage(file) ? page.get() : json);
        }
        write(Optional.empty(), text);
    }

    private void write(Optional<String> file, byte[] bytes) throws IOException {
        try (Output out = Output.open(console, file)) {
            out.stream().write(bytes);
            out.finish();
        }
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
