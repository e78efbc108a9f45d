package io.github.sgpt4j.retrieval;

/// How an index stores vectors.
public enum VectorStorage {
    /// As 32-bit numbers.
    FLOAT32,
    /// As 8-bit numbers for searching the graph, a quarter of the memory, and as 32-bit numbers on disk
    /// for scoring the documents found.
    INT8
}
