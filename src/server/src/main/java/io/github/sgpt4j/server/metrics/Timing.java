package io.github.sgpt4j.server.metrics;

/// Where a request's time went, in seconds.
///
/// @param total since the request came in
/// @param tokenization of all its texts
/// @param queue until its first batch
/// @param inference from its first batch to its last result
public record Timing(double total, double tokenization, double queue, double inference) {}
