package io.github.sgpt4j.training.data;

/// How rows become batches.
///
/// @param size rows of a batch
/// @param shuffle whether every pass has a random order of its own, or the rows come in the order of the
///     file
/// @param keepLast whether the rows that are left at the end of a pass make a smaller batch, or are left
///     out; of no effect with `noDuplicates`
/// @param noDuplicates whether a text occurs only once in a batch
/// @param seed determines the order
public record BatchOptions(int size, boolean shuffle, boolean keepLast, boolean noDuplicates, long seed) {
    /// Checks the size.
    public BatchOptions {
        if (size < 1) {
            throw new IllegalArgumentException("expected at least one row per batch, got " + size);
        }
    }

    /// Shuffled batches, the last smaller one kept.
    public static BatchOptions shuffled(int size, long seed) {
        return new BatchOptions(size, true, true, false, seed);
    }
}
