package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;

/// A hub cannot be reached, refuses, or sends something invalid. The message is one sentence that says
/// what was requested, what was expected and what was received; it never contains a token or a signed
/// address.
public class HubException extends IOException {
    private static final long serialVersionUID = 1L;

    /// @param message one sentence: what was requested, expected and received
    public HubException(String message) {
        super(message);
    }

    /// @param message one sentence: what was requested, expected and received
    /// @param cause the underlying failure
    public HubException(String message, Throwable cause) {
        super(message, cause);
    }
}
