package io.github.sgpt4j.retrieval.corpus;

import io.github.sgpt4j.error.FormatException;
import java.util.Objects;
import java.util.Optional;

/// A document to search for.
///
/// @param id a later document with the same id replaces this one
/// @param text without the title
/// @param metadata what filters compare
public record Document(String id, Optional<String> title, String text, Metadata metadata) {
    /// Refuses null.
    public Document {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(metadata, "metadata");
    }

    /// A document without metadata.
    public Document(String id, Optional<String> title, String text) {
        this(id, title, text, Metadata.EMPTY);
    }

    /// A document without title and metadata.
    public static Document of(String id, String text) {
        return new Document(id, Optional.empty(), text);
    }

    /// @param place of the document in its collection, the first is 1; its id if it has none of its own
    /// @throws FormatException without a text
    static Document of(TextRecord record, long place) {
        return new Document(
                record.id().orElse(Long.toString(place)),
                record.title(),
                record.text()
                        .orElseThrow(() -> new FormatException(record.where() + ": expected \"text\", found none")),
                record.metadata());
    }

    /// The same document with other metadata.
    public Document withMetadata(Metadata value) {
        return new Document(id, title, text, value);
    }

    /// The text that is embedded, scored and searched for words: `(title + " " + text).strip()`, or the
    /// text alone if there is no title.
    public String joined() {
        return title.map(t -> TextRecord.strip(t + " " + text)).orElse(text);
    }
}
