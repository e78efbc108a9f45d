package io.github.sgpt4j.weightstools.hub;

import java.time.Duration;
import java.util.Optional;

/// A failure that may be over when tried again.
final class TransientException extends HubException {
    private static final long serialVersionUID = 1L;

    private final transient Optional<Duration> wait;
    private final boolean slow;

    private TransientException(String message, Optional<Duration> wait, boolean slow) {
        super(message);
        this.wait = wait;
        this.slow = slow;
    }

    TransientException(String message) {
        this(message, Optional.empty(), false);
    }

    TransientException(String message, Throwable cause) {
        super(message, cause);
        this.wait = Optional.empty();
        this.slow = false;
    }

    /// A server that asks to come back later, perhaps after a certain time.
    static TransientException later(String message, Optional<Duration> wait) {
        return new TransientException(message, wait, false);
    }

    /// Bytes that come too slowly: however many came, another try may go on like that.
    static TransientException slow(String message) {
        return new TransientException(message, Optional.empty(), true);
    }

    /// The same failure, told with what it concerns.
    TransientException explained(String message) {
        TransientException explained = new TransientException(message, wait, slow);
        explained.initCause(this);
        return explained;
    }

    boolean isSlow() {
        return slow;
    }

    /// How long the server asks to wait.
    Optional<Duration> suggestedWait() {
        return wait;
    }
}
