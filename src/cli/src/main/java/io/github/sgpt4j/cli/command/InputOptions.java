package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.Converters;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Where texts come from: arguments or a file.
public final class InputOptions {
    @Option(
            names = {"-i", "--input"},
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "Read .txt (one text per line), .jsonl (objects), .gz of either, or - for lines of stdin.")
    private @Nullable String input;

    public Optional<String> file() {
        return Optional.ofNullable(input);
    }

    /// Opens the arguments or the file. The caller closes it.
    ///
    /// @param what the name of an argument in messages
    /// @throws picocli.CommandLine.ParameterException unless there are either arguments or a file of a known kind
    public TextInput open(ModelCommand command, List<String> arguments, String what) throws IOException {
        if (input == null) {
            return arguments.isEmpty() ? lines(command, what) : TextInput.ofArguments(arguments);
        }
        if (!arguments.isEmpty()) {
            throw command.usage("expected either a %s or -i FILE, got both".formatted(what));
        }
        if (!TextInput.isSupported(input)) {
            throw command.usage("-i: expected - or a name ending in .txt, .jsonl, .txt.gz or .jsonl.gz, got \"%s\""
                    .formatted(input));
        }
        return TextInput.open(input, command.console());
    }

    /// The lines of standard input, unless that is a terminal, where nobody would know what is awaited.
    private static TextInput lines(ModelCommand command, String what) throws IOException {
        Optional<TextInput> lines =
                command.console().interactive() ? Optional.empty() : TextInput.lines(command.console());
        return lines.orElseThrow(
                () -> command.usage("expected a %s, -i FILE or lines on stdin, got none".formatted(what)));
    }
}
