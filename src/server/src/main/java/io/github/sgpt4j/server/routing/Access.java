package io.github.sgpt4j.server.routing;

/// Who may use a route, and what it needs.
public enum Access {
    /// Everybody, at any time.
    OPEN,
    /// Clients with the key, at any time.
    KEYED,
    /// Clients with the key, once the models are loaded.
    LOADED,
    /// As [#LOADED], with a JSON object as body, and counted among the requests that run.
    COMPUTING
}
