package io.github.sgpt4j.server;

import java.time.Duration;
import java.util.OptionalLong;

/// How much the server takes on.
///
/// @param clientBatchSize most texts of a request; the server splits them into batches itself
/// @param bodyBytes longest body, after decompression
/// @param concurrentRequests most requests that are computed or wait at a time
/// @param queueTokens most tokens that wait; empty for 256 batches
/// @param requestTimeout after which a request is given up
/// @param readTimeout for the arrival of a whole request, and for an answer to be taken; whole seconds
/// @param connections most open connections
/// @param drain how long a server that ends waits for running requests
public record Limits(
        int clientBatchSize,
        int bodyBytes,
        int concurrentRequests,
        OptionalLong queueTokens,
        Duration requestTimeout,
        Duration readTimeout,
        int connections,
        Duration drain) {
    /// What suits one machine.
    public static final Limits DEFAULT = new Limits(
            2048,
            16 << 20,
            512,
            OptionalLong.empty(),
            Duration.ofSeconds(120),
            Duration.ofSeconds(30),
            1024,
            Duration.ofSeconds(30));

    /// @throws IllegalArgumentException if a limit is not positive
    public Limits {
        positive("texts of a request", clientBatchSize);
        positive("bytes of a body", bodyBytes);
        positive("concurrent requests", concurrentRequests);
        queueTokens.ifPresent(tokens -> positive("waiting tokens", tokens));
        positive("milliseconds for a request", requestTimeout.toMillis());
        positive("seconds for reading", readTimeout.toSeconds());
        positive("connections", connections);
        if (drain.isNegative()) {
            throw new IllegalArgumentException("seconds for ending: expected at least 0, got " + drain.toSeconds());
        }
    }

    private static void positive(String what, long value) {
        if (value < 1) {
            throw new IllegalArgumentException("%s: expected at least 1, got %d".formatted(what, value));
        }
    }

    /// With at most this many texts in a request.
    public Limits withClientBatchSize(int value) {
        return new Limits(
                value, bodyBytes, concurrentRequests, queueTokens, requestTimeout, readTimeout, connections, drain);
    }

    /// With bodies of at most this many bytes.
    public Limits withBodyBytes(int value) {
        return new Limits(
                clientBatchSize,
                value,
                concurrentRequests,
                queueTokens,
                requestTimeout,
                readTimeout,
                connections,
                drain);
    }

    /// With at most this many requests at a time.
    public Limits withConcurrentRequests(int value) {
        return new Limits(
                clientBatchSize, bodyBytes, value, queueTokens, requestTimeout, readTimeout, connections, drain);
    }

    /// With at most this many tokens waiting.
    public Limits withQueueTokens(long value) {
        return new Limits(
                clientBatchSize,
                bodyBytes,
                concurrentRequests,
                OptionalLong.of(value),
                requestTimeout,
                readTimeout,
                connections,
                drain);
    }

    /// With requests given up after this time.
    public Limits withRequestTimeout(Duration value) {
        return new Limits(
                clientBatchSize, bodyBytes, concurrentRequests, queueTokens, value, readTimeout, connections, drain);
    }

    /// With this time for reading a request and for taking an answer.
    public Limits withReadTimeout(Duration value) {
        return new Limits(
                clientBatchSize, bodyBytes, concurrentRequests, queueTokens, requestTimeout, value, connections, drain);
    }

    /// With at most this many connections.
    public Limits withConnections(int value) {
        return new Limits(
                clientBatchSize, bodyBytes, concurrentRequests, queueTokens, requestTimeout, readTimeout, value, drain);
    }

    /// With this time for running requests when the server ends.
    public Limits withDrain(Duration value) {
        return new Limits(
                clientBatchSize,
                bodyBytes,
                concurrentRequests,
                queueTokens,
                requestTimeout,
                readTimeout,
                connections,
                value);
    }
}
