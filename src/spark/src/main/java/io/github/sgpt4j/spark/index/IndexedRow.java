package io.github.sgpt4j.spark.index;

import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.Optional;

/// A row to index.
///
/// @param vector its embedding if it was computed before, `[dimension]`
public record IndexedRow(Document document, Optional<float[]> vector) {}
