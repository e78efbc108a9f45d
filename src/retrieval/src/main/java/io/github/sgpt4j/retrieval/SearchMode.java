package io.github.sgpt4j.retrieval;

/// How documents are found.
public enum SearchMode {
    /// Meaning: the similarity of the embeddings of query and document.
    DENSE,
    /// Words: BM25. Needs no model.
    BM25,
    /// Both, fused by rank ([Fusion#reciprocalRank]).
    HYBRID
}
