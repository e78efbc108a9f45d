package io.github.sgpt4j.cli.option;

import java.util.List;
import java.util.Locale;
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

    /// What is wrong with the file's name, if anything: an ending that stands for a form that is not written. Names
    /// without an ending, such as those of devices, are not looked at.
    ///
    /// @param endings that are known, such as `.jsonl`
    public Optional<String> complaint(List<String> endings) {
        String name = output == null
                ? ""
                : output.substring(output.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        int dot = name.lastIndexOf('.');
        boolean known = dot < 1 || dot == name.length() - 1 || endings.contains(name.substring(dot));
        return known
                ? Optional.empty()
                : Optional.of(
                        "-o: expected a name ending in %s, got \"%s\"".formatted(String.join(" or ", endings), output));
    }
}
