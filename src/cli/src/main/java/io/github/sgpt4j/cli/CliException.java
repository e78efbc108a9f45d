package io.github.sgpt4j.cli;

/// A failure that the command reports in one sentence and exit code 1.
final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CliException(String message) {
        super(message);
    }

    CliException(String message, Throwable cause) {
        super(message, cause);
    }
}
