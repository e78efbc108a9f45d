package io.github.sgpt4j.cli;

import java.util.Optional;

/// Something to be found.
///
/// @param id its `_id`, its file's name, or its 0-based place in the corpus
/// @param text without the title
record Document(String id, Optional<String> title, String text) {
    static Document of(InputRecord record, long index) {
        return new Document(
                record.id().orElse(Long.toString(index)),
                record.title(),
                record.text().orElseThrow(() -> new CliException(record.where() + ": expected \"text\", found none")));
    }

    /// What is embedded and scored: title and text.
    String joined() {
        return title.map(t -> InputRecord.strip(t + " " + text)).orElse(text);
    }
}
