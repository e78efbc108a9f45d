package io.github.sgpt4j.spark.partition;

/// The size of a tokenized input.
///
/// @param tokens what it costs to compute
/// @param uncut tokens before it was cut
/// @param truncated whether it was cut
record InputSize(int tokens, int uncut, boolean truncated) {}
