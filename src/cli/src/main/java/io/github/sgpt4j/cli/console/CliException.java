package io.github.sgpt4j.cli.console;

/// A failure that the command reports in one sentence, with exit code 1.
public final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CliException(String message) {
        super(message);
    }

    public CliException(String message, Throwable cause) {
        super(message, cause);
    }
}
