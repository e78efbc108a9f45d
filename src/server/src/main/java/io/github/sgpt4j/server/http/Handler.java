package io.github.sgpt4j.server.http;

import java.io.IOException;

/// Answers requests, each on its own thread.
@FunctionalInterface
public interface Handler {
    /// The answer; the caller closes it.
    ///
    /// @throws IOException if the request cannot be read
    Response handle(Request request) throws IOException;
}
