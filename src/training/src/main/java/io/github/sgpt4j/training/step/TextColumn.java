package io.github.sgpt4j.training.step;

import io.github.sgpt4j.TextKind;
import java.util.List;

/// The texts of one kind in a batch, one per row: anchors, positives or negatives.
///
/// @param ids token ids of each text
public record TextColumn(TextKind kind, List<int[]> ids) {
    /// Copies the list.
    public TextColumn {
        ids = List.copyOf(ids);
    }
}
