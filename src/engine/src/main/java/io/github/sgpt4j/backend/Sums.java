package io.github.sgpt4j.backend;

/// Sums of gradients `[rows, columns]`, kept where the backend computes: in at least 32 bits. Starts at zero. Belongs
/// to the backend that made it; the caller closes it.
///
/// The order of the additions depends only on the shapes and on the order of the calls, never on the number of
/// threads.
public interface Sums extends AutoCloseable {
    int rows();

    int columns();

    /// Copies one row to `target`, after all operations that add to it.
    ///
    /// @param target `[columns]`
    void read(int row, double[] target);

    /// Sets all sums to zero.
    void clear();

    @Override
    void close();
}
