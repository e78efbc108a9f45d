package io.github.sgpt4j.error;

/// A file is missing, cannot be read, or does not hold what its format requires.
public final class FormatException extends SgptException {
    private static final long serialVersionUID = 1L;

    public FormatException(String message) {
        super(message);
    }

    public FormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
