package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/// How often and when to retry: after a delay that doubles, is shortened at random so that many clients
/// do not return at the same time, and is at least as long as the server asks for.
///
/// @param attempts of one request, including the first
/// @param first approximate delay before the second attempt
/// @param longest longest delay between attempts, unless the server asks for more
/// @param patience longest delay accepted from a server
record Retries(int attempts, Duration first, Duration longest, Duration patience) {
    static final Retries DEFAULT = new Retries(6, Duration.ofSeconds(1), Duration.ofSeconds(20), Duration.ofMinutes(5));

    /// A request that may be retried.
    @FunctionalInterface
    interface Request<T> {
        /// @throws TransientException if a retry may help
        T send() throws IOException;
    }

    /// Sends a request until it succeeds, fails permanently, or has been tried often enough.
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

        /// Starts again, since the last attempt was useful.
        void reset() {
            failures = 0;
        }

        /// Waits until the next attempt is due.
        ///
        /// @throws TransientException the failure, if there have been enough attempts
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

    /// Half to all of a delay that doubles with each failure.
    private Duration pause(int failures) {
        long most = Math.min(longest.toMillis(), first.toMillis() << Math.min(failures - 1, 20));
        return Duration.ofMillis(most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1));
    }

    /// A time for messages.
    static String shown(Duration time) {
        return time.toSeconds() < 1 ? time.toMillis() + " ms" : (time.toMillis() + 500) / 1000 + " s";
    }

    /// The exception for an interrupted thread; the thread is to stay interrupted.
    static CancelledException interrupted(Exception e) {
        CancelledException cancelled = new CancelledException("the download was interrupted");
        cancelled.initCause(e);
        return cancelled;
    }
}
