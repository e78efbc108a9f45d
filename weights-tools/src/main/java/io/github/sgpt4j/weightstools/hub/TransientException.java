package io.github.sgpt4j.weightstools.hub;

import java.time.Duration;
import java.util.Optional;

/// A failure that may be over when tried again.
final class TransientException extends HubException {
    private static final long serialVersionUID = 1L;

    private final transient Optional<Duration> wait;

    private TransientException(String message, Optional<Duration> wait) {
        super(message);
        this.wait = wait;
    }

    TransientException(String message) {
        this(message, Optional.empty());
    }

    TransientException(String message, Throwable cause) {
        super(message, cause);
        this.wait = Optional.empty();
    }

    /// A server that asks to come back later, perhaps after a certain time.
    static TransientException later(String message, Optional<Duration> wait) {
        return new TransientException(message, wait);
    }

    /// How long the server asks to wait.
    Optional<Duration> suggestedWait() {
        return wait;
    }
}
