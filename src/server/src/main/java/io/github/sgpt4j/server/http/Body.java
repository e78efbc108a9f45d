package io.github.sgpt4j.server.http;

import java.io.IOException;
import java.io.OutputStream;

/// The body of an answer.
public sealed interface Body {
    /// Its media type.
    String mediaType();

    /// Bytes that are there already.
    record Bytes(String mediaType, byte[] bytes) implements Body {}

    /// Bytes that are written while they are sent.
    record Stream(String mediaType, Writing writing) implements Body {}

    /// Writes a body.
    @FunctionalInterface
    interface Writing {
        /// @param out not closed by this
        /// @throws IOException if the client is gone
        void writeTo(OutputStream out) throws IOException;
    }
}
