package io.github.sgpt4j.retrieval.mining;

/// Two texts and how similar they are.
///
/// @param first index of the text that comes first
/// @param second index of the other text, larger than `first`
/// @param score their similarity
public record TextPair(int first, int second, float score) {}
