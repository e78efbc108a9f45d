package io.github.sgpt4j.server.batching;

/// Is told of batches.
@FunctionalInterface
public interface BatchListener {
    /// Called before a batch is computed; must be fast.
    ///
    /// @param items in the batch
    /// @param tokens of all items
    void batch(int items, long tokens);
}
