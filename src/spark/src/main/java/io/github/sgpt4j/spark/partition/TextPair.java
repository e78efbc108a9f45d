package io.github.sgpt4j.spark.partition;

import java.util.Objects;

/// A query and a document to score for it.
public record TextPair(String query, String document) {
    /// Refuses null.
    public TextPair {
        Objects.requireNonNull(query, "query");
        Objects.requireNonNull(document, "document");
    }
}
