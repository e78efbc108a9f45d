package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.server.http.Response;
import java.io.IOException;

/// What answers a method of a path.
///
/// @param method in upper case
/// @param path whole, or with `*` at its end for all that begin so
/// @param access who may use it
/// @param dialect of errors, unless the action decides otherwise
/// @param action answers
public record Route(String method, String path, Access access, Dialect dialect, Action action) {
    /// Answers a request.
    @FunctionalInterface
    public interface Action {
        /// @throws IOException if a file of the server cannot be read
        Response answer(Exchange exchange) throws IOException;
    }

    boolean isFor(String requested) {
        return path.endsWith("*") ? requested.startsWith(path.substring(0, path.length() - 1)) : requested.equals(path);
    }
}
