package io.github.sgpt4j.cli;

import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.Optional;

/// A line of a result list.
///
/// @param cosine of query and document
/// @param rerankScore the cross-encoder's, if it looked at this document
record SearchResult(Document document, float cosine, Optional<Float> rerankScore) {}
