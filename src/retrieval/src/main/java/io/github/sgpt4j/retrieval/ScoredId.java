package io.github.sgpt4j.retrieval;

import java.util.Comparator;
import java.util.Objects;

/// A document found, by its id.
///
/// @param score higher is better
public record ScoredId(String id, float score) {
    /// Best first; equal scores in the order of their ids, so that results do not depend on how an
    /// index is divided.
    public static final Comparator<ScoredId> BEST_FIRST =
            Comparator.comparing(ScoredId::score).reversed().thenComparing(ScoredId::id);

    /// Refuses null.
    public ScoredId {
        Objects.requireNonNull(id, "id");
    }
}
