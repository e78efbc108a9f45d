package io.github.sgpt4j.backend;

/// Activations `[rows, columns]` in a backend's memory. Closing releases the memory; closing a view
/// does nothing.
public interface Tensor extends AutoCloseable {
    int rows();

    int columns();

    /// A borrowed view of rows `[from, from + count)`, valid as long as this tensor.
    Tensor slice(int from, int count);

    @Override
    void close();
}
