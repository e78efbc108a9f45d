package io.github.sgpt4j.server.inference;

import java.time.Duration;

/// When a request came in, and until when it must be computed.
///
/// @param start as of [System#nanoTime]
/// @param end as of [System#nanoTime]
public record Deadline(long start, long end) {
    /// For a request that came in now.
    public static Deadline after(Duration timeout) {
        long now = System.nanoTime();
        return new Deadline(now, now + timeout.toNanos());
    }

    /// Seconds since the request came in.
    public double elapsed() {
        return (System.nanoTime() - start) / 1e9;
    }
}
