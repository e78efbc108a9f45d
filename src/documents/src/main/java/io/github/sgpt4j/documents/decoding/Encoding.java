package io.github.sgpt4j.documents.decoding;

import java.nio.charset.Charset;

/// How the bytes of a file become characters.
///
/// @param charset by a byte order mark, or by the bytes
/// @param markBytes length of the byte order mark, 0 without one
/// @param guessed whether the bytes are not UTF-8 and nothing says what they are
public record Encoding(Charset charset, int markBytes, boolean guessed) {}
