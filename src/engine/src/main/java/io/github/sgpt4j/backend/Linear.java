package io.github.sgpt4j.backend;

/// A weight matrix `[out, in]` with its optional bias `[out]`, prepared by a backend.
public interface Linear {
    int in();

    int out();
}
