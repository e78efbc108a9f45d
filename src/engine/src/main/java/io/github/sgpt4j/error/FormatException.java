package io.github.sgpt4j.error;

/// A file is missing, cannot be read, or does not hold what its format requires.
public final class FormatException extends SgptException {
    private static final long serialVersionUID = 1L;

    /// @param message one sentence: what, where, expected, got; control characters become escapes
    public FormatException(String message) {
        super(message);
    }

    /// @param message one sentence: what, where, expected, got; control characters become escapes
    /// @param cause what went wrong below
    public FormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
