package io.github.sgpt4j.backend;

/// An embedding table `[rows, columns]`, prepared by a backend.
public interface Table {
    int rows();

    int columns();
}
