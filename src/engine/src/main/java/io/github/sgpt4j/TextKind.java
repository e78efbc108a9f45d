package io.github.sgpt4j;

/// What a text is to an asymmetric model, which embeds queries and documents differently.
public enum TextKind {
    /// Neither: the text as it is, with the model's default prompt if it has one.
    TEXT,
    /// Something to search with.
    QUERY,
    /// Something to be found.
    DOCUMENT
}
