package io.github.sgpt4j.retrieval.mining;

/// A text that is similar to another.
///
/// @param index of the text
/// @param score its similarity
public record Neighbour(int index, float score) {}
