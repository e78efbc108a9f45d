package io.github.sgpt4j.training.data;

import java.util.List;

/// Rows that are trained with at once.
///
/// @param epoch 0-based
/// @param number 0-based, within the epoch
/// @param rows index of each row in its source
/// @param contents the rows themselves
/// @param <R> what a row is
public record Batch<R extends TextRow>(long epoch, long number, List<Integer> rows, List<R> contents) {
    /// Copies the lists.
    public Batch {
        rows = List.copyOf(rows);
        contents = List.copyOf(contents);
    }
}
