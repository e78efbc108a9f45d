package io.github.sgpt4j.training.data;

import java.util.Map;

/// Rows of an anchor, a positive and negatives. Several positives, and more negatives than are used, take turns from
/// pass to pass.
public non-sealed interface TripleSource extends TrainingSource<Triple> {
    /// Number of negatives of every triple.
    int negatives();

    @Override
    default Map<String, String> settings() {
        return Map.of("negatives", Integer.toString(negatives()));
    }
}
