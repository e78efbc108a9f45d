package io.github.sgpt4j.retrieval;

/// To come.
final class SemanticIndex {}
