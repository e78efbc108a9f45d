package io.github.sgpt4j.documents;

import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.documents.folder.FolderFile;
import io.github.sgpt4j.documents.format.Content;
import io.github.sgpt4j.documents.kind.FileKind;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.text.WellFormed;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// From what a file holds to documents with ids and metadata.
final class FolderDocuments {
    /// Metadata: the file's path below the folder.
    static final String PATH = "path";

    /// Metadata: the record's place in its file.
    static final String RECORD = "record";

    /// Longest title that becomes metadata too.
    private static final int MAX_TITLE = 1000;

    private FolderDocuments() {}

    /// @throws FileProblem if the text or the metadata cannot be those of a document
    static Document of(FolderFile file, FileKind kind, Content content) throws FileProblem {
        Map<String, Object> values = new LinkedHashMap<>(content.metadata());
        values.put(PATH, file.name());
        values.put("kind", kind.title());
        Instant modified = file.state().time().toInstant();
        values.put("modified", modified.truncatedTo(ChronoUnit.SECONDS).toString());
        Optional<String> title = content.title().map(found -> unicode(kind, found));
        title.filter(found -> found.length() <= MAX_TITLE).ifPresent(found -> values.put("title", found));
        content.record().ifPresent(number -> values.put(RECORD, number));
        String text = unicode(kind, content.text());
        if (!WellFormed.is(text) || title.isPresent() && !WellFormed.is(title.get())) {
            throw new FileProblem(where(content) + "expected Unicode text, got half a surrogate pair");
        }
        try {
            return new Document(id(file.name(), content.record()), title, text, Metadata.of(values));
        } catch (IllegalArgumentException e) {
            throw new FileProblem(where(content) + e.getMessage(), e);
        }
    }

    private static String where(Content content) {
        return content.record().isPresent()
                ? "record %d: ".formatted(content.record().getAsLong())
                : "";
    }

    private static String id(String name, OptionalLong record) {
        return record.isPresent() ? name + "#" + record.getAsLong() : name;
    }

    /// Fonts and pages that are wrong about a character are no reason to lose a text; data must be right.
    private static String unicode(FileKind kind, String text) {
        return kind.hasRecords() ? text : WellFormed.repair(text);
    }
}
