package io.github.sgpt4j.error;

/// A device, library, data type or amount of memory that a computation needs is unavailable, or a
/// device call failed.
public final class BackendException extends SgptException {
    private static final long serialVersionUID = 1L;

    /// @param message one sentence: what, where, expected, got; control characters become escapes
    public BackendException(String message) {
        super(message);
    }

    /// @param message one sentence: what, where, expected, got; control characters become escapes
    /// @param cause the underlying failure
    public BackendException(String message, Throwable cause) {
        super(message, cause);
    }
}
