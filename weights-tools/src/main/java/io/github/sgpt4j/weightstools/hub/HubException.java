package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;

/// A hub cannot be reached, refuses, or sends what it should not. The message is one sentence that says what was
/// asked for, what was expected and what came; it never holds a token or a signed address.
public class HubException extends IOException {
    private static final long serialVersionUID = 1L;

    /// @param message one sentence: what was asked for, expected and got
    public HubException(String message) {
        super(message);
    }

    /// @param message one sentence: what was asked for, expected and got
    /// @param cause what went wrong below
    public HubException(String message, Throwable cause) {
        super(message, cause);
    }
}
