package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.server.metrics.Timing;

/// What a request cost.
public interface Computed {
    /// Tokens computed.
    long totalTokens();

    /// Number of inputs that were cut.
    int cut();

    /// Code points of all texts.
    long characters();

    /// Where the time went.
    Timing timing();
}
