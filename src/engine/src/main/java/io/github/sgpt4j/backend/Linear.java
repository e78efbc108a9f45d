package io.github.sgpt4j.backend;

import java.util.List;

/// A weight matrix `[out, in]` with its optional bias `[out]`, prepared by a backend.
public interface Linear {
    int in();

    int out();

    /// The stored parts of the matrix, stacked.
    List<MatrixRows> weightParts();

    /// The stored parts of the bias, stacked; empty for none.
    List<MatrixRows> biasParts();
}
