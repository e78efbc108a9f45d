package io.github.sgpt4j;

/// The role of a text for an asymmetric model, which embeds queries and documents differently.
public enum TextKind {
    /// Neither: the text as it is, with the model's default prompt if it has one.
    TEXT,
    /// A text to search with.
    QUERY,
    /// A text to be found.
    DOCUMENT
}
