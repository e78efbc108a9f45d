package io.github.sgpt4j.training.data;

/// Between which batches training stands. With the same data, options and seed, the same batches follow.
///
/// @param batches number of batches before
/// @param rows number of rows used or passed over before, in all passes
public record BatchPosition(long batches, long rows) {
    /// Before the first batch.
    public static final BatchPosition START = new BatchPosition(0, 0);

    /// Checks the numbers.
    public BatchPosition {
        if (batches < 0 || rows < batches) {
            throw new IllegalArgumentException(
                    "expected at least as many rows as batches, got %d and %d".formatted(rows, batches));
        }
    }
}
