package io.github.sgpt4j.training.data;

import java.util.List;

/// Rows that are trained with at once.
///
/// @param epoch 0-based
/// @param number 0-based, within the epoch
/// @param rows index of each row in its source
/// @param triples their texts
public record Batch(long epoch, long number, List<Integer> rows, List<Triple> triples) {
    /// Copies the lists.
    public Batch {
        rows = List.copyOf(rows);
        triples = List.copyOf(triples);
    }
}
