package io.github.sgpt4j.cli.console;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Map;

/// The streams and environment of a command; tests pass their own.
///
/// @param in standard input
/// @param out standard output, for results only, unbuffered
/// @param err standard error, for everything else
/// @param columns width of the terminal behind `err`, 0 if `err` is not a terminal
/// @param interactive whether `in` is a terminal
/// @param environment environment variables
public record Console(
        InputStream in,
        OutputStream out,
        PrintStream err,
        int columns,
        boolean interactive,
        Map<String, String> environment) {

    /// The console of this process.
    public static Console ofProcess() {
        // System.out would swallow write errors, such as a full disk.
        OutputStream out = new FileOutputStream(FileDescriptor.out);
        java.io.Console terminal = System.console();
        boolean interactive = terminal != null && terminal.isTerminal();
        return new Console(
                new FileInputStream(FileDescriptor.in),
                out,
                System.err,
                StandardError.terminalColumns(),
                interactive,
                System.getenv());
    }

    /// Writes one line to stderr.
    public void say(String line) {
        err.println("sgpt: " + oneLine(line));
        err.flush();
    }

    /// Whether an environment variable is set and not empty.
    public boolean isSet(String variable) {
        return !environment.getOrDefault(variable, "").isEmpty();
    }

    /// Whether results may have colours and bold type: they are read on a terminal, and nobody asked for none
    /// (no-color.org).
    public boolean colours() {
        return interactive
                && !isSet("NO_COLOR")
                && !environment.getOrDefault("TERM", "").equals("dumb");
    }

    /// A text on one line, without control characters that a terminal would interpret.
    public static String oneLine(String text) {
        StringBuilder line = new StringBuilder(text.length());
        boolean space = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isWhitespace(c) || Character.isISOControl(c)) {
                space = true;
                continue;
            }
            if (space && !line.isEmpty()) {
                line.append(' ');
            }
            space = false;
            line.append(c);
        }
        return line.toString();
    }
}
