package io.github.sgpt4j.weightstools.hub;

import java.time.Duration;
import java.util.Optional;

/// A failure that may disappear on a retry.
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

    /// A server that asks the client to come back later, perhaps after a given time.
    static TransientException later(String message, Optional<Duration> wait) {
        return new TransientException(message, wait, false);
    }

    /// A transfer that is too slow: however many bytes arrived, another attempt may be as slow.
    static TransientException slow(String message) {
        return new TransientException(message, Optional.empty(), true);
    }

    /// The same failure with a message that names its subject.
    TransientException explained(String message) {
        TransientException explained = new TransientException(message, wait, slow);
        explained.initCause(this);
        return explained;
    }

    boolean isSlow() {
        return slow;
    }

    /// How long the server asks the client to wait.
    Optional<Duration> suggestedWait() {
        return wait;
    }
}
