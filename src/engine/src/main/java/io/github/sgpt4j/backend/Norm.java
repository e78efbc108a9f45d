package io.github.sgpt4j.backend;

/// A normalisation over `columns` features, prepared by a backend from [NormParameters].
public interface Norm {
    int columns();
}
