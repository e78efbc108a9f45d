package io.github.sgpt4j.retrieval;

/// How an index keeps the vectors that its graph is searched with.
public enum VectorStorage {
    /// As 32-bit numbers.
    FLOAT32,
    /// As 8-bit numbers for searching the graph, a quarter of the memory, and as 32-bit numbers on disk, which
    /// the documents found are scored with.
    INT8
}
