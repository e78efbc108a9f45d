package io.github.sgpt4j.cli.option;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The option for the output file.
public final class OutputOptions {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "Write results to this file, completely or not at all (default: stdout).")
    private @Nullable String output;

    public Optional<String> file() {
        return Optional.ofNullable(output);
    }
}
