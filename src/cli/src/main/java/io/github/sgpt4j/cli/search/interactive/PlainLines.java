package io.github.sgpt4j.cli.search.interactive;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// Lines of standard input with a prompt in front, where the terminal cannot edit lines.
///
/// @param in closed with this
/// @param console the prompt goes to its stderr
public record PlainLines(TextInput in, Console console) implements TypedLines {
    @Override
    public Optional<String> next() {
        console.err().print("query> ");
        console.err().flush();
        List<TextRecord> line = in.chunk(1);
        if (line.isEmpty()) {
            console.err().println();
            return Optional.empty();
        }
        return Optional.of(line.getFirst().joined());
    }

    @Override
    public int columns() {
        return console.columns();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
