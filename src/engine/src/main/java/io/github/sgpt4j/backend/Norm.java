package io.github.sgpt4j.backend;

/// A normalisation over `columns` features, prepared by a backend from [NormParameters].
public interface Norm {
    /// What it was made from.
    NormParameters parameters();

    default int columns() {
        return parameters().columns();
    }
}
