package io.github.sgpt4j.documents.format;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// A document in a file.
///
/// @param record its place among the file's documents, from 1; empty if it is the whole file
/// @param title if it has one
/// @param text may be blank
/// @param metadata of its own, as [io.github.sgpt4j.retrieval.corpus.Metadata] takes them
public record Content(OptionalLong record, Optional<String> title, String text, Map<String, Object> metadata) {
    /// A file that is one document, without metadata of its own.
    public static Content of(Optional<String> title, String text) {
        return new Content(OptionalLong.empty(), title, text, Map.of());
    }
}
