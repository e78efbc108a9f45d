package io.github.sgpt4j.documents.decoding;

/// A text and how its bytes were understood.
///
/// @param text without byte order mark
/// @param encoding of the bytes
public record Decoded(String text, Encoding encoding) {}
