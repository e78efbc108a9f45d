package io.github.sgpt4j.cli.console;

/// A failure that the command reports in one sentence, with exit code 1 unless it says otherwise.
public final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int FAILURE = 1;
    /// What shells report for a program that Ctrl-C ended.
    private static final int INTERRUPTED = 130;

    private final int exitCode;

    public CliException(String message) {
        super(message);
        exitCode = FAILURE;
    }

    public CliException(String message, Throwable cause) {
        this(message, cause, FAILURE);
    }

    private CliException(String message, Throwable cause, int exitCode) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /// The command was interrupted and left its work in order.
    public static CliException interrupted(String message, Throwable cause) {
        return new CliException(message, cause, INTERRUPTED);
    }

    public int exitCode() {
        return exitCode;
    }
}
