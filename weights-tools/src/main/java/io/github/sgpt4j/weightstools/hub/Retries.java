package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/// How often to try again, and when: after a time that doubles, is cut at random so that many clients do not come
/// back together, and is no shorter than what the server asks for.
///
/// @param attempts tries of one request, the first one counted
/// @param first about how long to wait before the second try
/// @param longest most to wait between tries, unless the server asks for more
/// @param patience most to wait because the server asks
record Retries(int attempts, Duration first, Duration longest, Duration patience) {
    static final Retries DEFAULT = new Retries(6, Duration.ofSeconds(1), Duration.ofSeconds(20), Duration.ofMinutes(5));

    /// A request that may be tried again.
    @FunctionalInterface
    interface Request<T> {
        /// @throws TransientException if trying again may help
        T send() throws IOException;
    }

    /// Sends a request until it succeeds, fails for good, or has been tried often enough.
    <T> T call(HubListener listener, Request<T> request) throws IOException {
        Count count = new Count(listener);
        while (true) {
            try {
                return request.send();
            } catch (TransientException e) {
                count.failed(e);
            }
        }
    }

    /// Counts the failures of one request.
    final class Count {
        private final HubListener listener;
        private int failures;

        Count(HubListener listener) {
            this.listener = listener;
        }

        /// Starts over, since the last try was of use.
        void reset() {
            failures = 0;
        }

        /// Waits until it is time for the next try.
        ///
        /// @throws TransientException the failure, if there have been enough
        void failed(TransientException failure) throws IOException {
            failures++;
            Duration asked = failure.suggestedWait().orElse(Duration.ZERO);
            if (failures >= attempts || asked.compareTo(patience) > 0) {
                throw failure;
            }
            Duration wait = pause(failures);
            wait = wait.compareTo(asked) < 0 ? asked : wait;
            listener.notice("%s; trying again in %s".formatted(failure.getMessage(), shown(wait)));
            try {
                Thread.sleep(wait);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw interrupted(e);
            }
        }
    }

    /// Half to all of a time that doubles with each failure.
    private Duration pause(int failures) {
        long most = Math.min(longest.toMillis(), first.toMillis() << Math.min(failures - 1, 20));
        return Duration.ofMillis(most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1));
    }

    /// A time for messages.
    static String shown(Duration time) {
        return time.toSeconds() < 1 ? time.toMillis() + " ms" : (time.toMillis() + 500) / 1000 + " s";
    }

    /// The end of a call whose thread is interrupted; the thread is to keep that status.
    static CancelledException interrupted(Exception e) {
        CancelledException cancelled = new CancelledException("the download was interrupted");
        cancelled.initCause(e);
        return cancelled;
    }
}
