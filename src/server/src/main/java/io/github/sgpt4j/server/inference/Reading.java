package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.TextKind;

/// What is put around texts before they are embedded.
public sealed interface Reading {
    /// What the model puts around texts of a kind.
    record Kind(TextKind kind) implements Reading {}

    /// A prompt in front of each.
    record Prompt(String text) implements Reading {}
}
