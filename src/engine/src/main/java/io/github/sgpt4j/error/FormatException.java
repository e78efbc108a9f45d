package io.github.sgpt4j.error;

/// A file is missing, cannot be read, does not match its format, or was changed while it was in use.
public final class FormatException extends SgptException {
    private static final long serialVersionUID = 1L;

    /// @param message one sentence: what, where, expected, got; control characters become escapes
    public FormatException(String message) {
        super(message);
    }

    /// @param message one sentence: what, where, expected, got; control characters become escapes
    /// @param cause the underlying failure
    public FormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
