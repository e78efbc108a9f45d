package io.github.sgpt4j.checkpoint;

/// Whether a model is an asymmetric SGPT model ("specb"), which puts queries and documents in brackets.
///
/// @param used whether it is
/// @param source where that comes from, in a few words
public record SpecialBrackets(boolean used, String source) {}
