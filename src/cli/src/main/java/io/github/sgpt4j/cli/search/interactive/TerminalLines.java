package io.github.sgpt4j.cli.search.interactive;

import io.github.sgpt4j.cli.console.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.AggregateCompleter;
import org.jline.reader.impl.completer.ArgumentCompleter;
import org.jline.reader.impl.completer.NullCompleter;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/// Lines edited at a terminal, with completion, and a history that lasts (JLine).
///
/// The history is a file that its owner alone may read: `sgpt4j/history` in XDG_STATE_HOME or ~/.local/state, or what
/// SGPT_HISTORY names; nothing is kept if that is `off`.
public final class TerminalLines implements TypedLines {
    private static final String PROMPT = "query> ";
    private static final int REMEMBERED = 1000;
    private static final String HISTORY = "SGPT_HISTORY";

    private final Terminal terminal;
    private final LineReader reader;

    private TerminalLines(Terminal terminal, LineReader reader) {
        this.terminal = terminal;
        this.reader = reader;
    }

    /// Opens the terminal of this process; empty if its input or output is none, or it can do too little.
    public static Optional<TerminalLines> open(Console console) {
        if (!console.interactive()
                || console.environment().getOrDefault("TERM", "dumb").equals("dumb")) {
            return Optional.empty();
        }
        try {
            // The program stty is called: no native code is loaded.
            Terminal terminal = TerminalBuilder.builder()
                    .system(true)
                    .dumb(false)
                    .exec(true)
                    .jni(false)
                    .ffm(false)
                    .jansi(false)
                    .jna(false)
                    .build();
            DefaultParser plain = new DefaultParser().quoteChars(new char[0]).escapeChars(new char[0]);
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .appName("sgpt")
                    .parser(plain)
                    .completer(completer())
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                    .variable(LineReader.HISTORY_SIZE, REMEMBERED)
                    .variable(LineReader.HISTORY_FILE_SIZE, REMEMBERED)
                    .build();
            history(console).ifPresent(file -> reader.setVariable(LineReader.HISTORY_FILE, file));
            return Optional.of(new TerminalLines(terminal, reader));
        } catch (IOException | IllegalStateException e) {
            // Lines are read without editing.
            return Optional.empty();
        }
    }

    private static AggregateCompleter completer() {
        return new AggregateCompleter(
                new ArgumentCompleter(
                        new StringsCompleter(":mode"),
                        new StringsCompleter("dense", "bm25", "hybrid"),
                        NullCompleter.INSTANCE),
                new ArgumentCompleter(
                        new StringsCompleter(":where", ":rerank"), new StringsCompleter("off"), NullCompleter.INSTANCE),
                new ArgumentCompleter(
                        new StringsCompleter(Request.COMMANDS.stream()
                                .filter(command -> !command.equals(":mode"))
                                .toList()),
                        NullCompleter.INSTANCE));
    }

    /// The file, if one can be had.
    static Optional<Path> history(Console console) {
        try {
            String stated = console.environment().getOrDefault(HISTORY, "");
            if (stated.equals("off")) {
                return Optional.empty();
            }
            String state = console.environment().getOrDefault("XDG_STATE_HOME", "");
            Path file = !stated.isEmpty()
                    ? Path.of(stated)
                    : (state.isEmpty() ? Path.of(System.getProperty("user.home"), ".local", "state") : Path.of(state))
                            .resolve("sgpt4j")
                            .resolve("history");
            Files.createDirectories(file.toAbsolutePath().getParent());
            if (!Files.exists(file)) {
                Files.createFile(
                        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            }
            return Optional.of(file);
        } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    @Override
    public Optional<String> next() {
        try {
            return Optional.of(reader.readLine(PROMPT));
        } catch (UserInterruptException e) {
            return Optional.of("");
        } catch (EndOfFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public int columns() {
        return terminal.getWidth();
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
