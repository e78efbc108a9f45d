package io.github.sgpt4j.retrieval.corpus;

import io.github.sgpt4j.error.FormatException;
import java.util.Objects;
import java.util.Optional;

/// A document to search for.
///
/// @param id a later document with the same id replaces this one
/// @param text without the title
public record Document(String id, Optional<String> title, String text) {
    /// Refuses null.
    public Document {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(text, "text");
    }

    /// A document without a title.
    public static Document of(String id, String text) {
        return new Document(id, Optional.empty(), text);
    }

    /// @param index the document's 0-based place in its collection, its id if it has none of its own
    /// @throws FormatException without a text
    static Document of(TextRecord record, long index) {
        return new Document(
                record.id().orElse(Long.toString(index)),
                record.title(),
                record.text()
                        .orElseThrow(() -> new FormatException(record.where() + ": expected \"text\", found none")));
    }

    /// The text that is embedded, scored and searched for words: `(title + " " + text).strip()`, or the
    /// text alone if there is no title.
    public String joined() {
        return title.map(t -> TextRecord.strip(t + " " + text)).orElse(text);
    }
}
