package io.github.sgpt4j.documents.kind;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a file of text is, told by the end of its name.
public enum FileKind {
    /// Plain text: one document. Files whose names say nothing are this, if their bytes are text.
    TEXT("txt", "text"),
    /// Markdown: one document, without its marks.
    MARKDOWN("md", "markdown", "mdown", "mkd"),
    /// reStructuredText: one document, as it is.
    RST("rst"),
    /// A web page: one document.
    HTML("html", "htm", "xhtml"),
    /// PDF: one document.
    PDF("pdf"),
    /// Word's format since 2007: one document.
    DOCX("docx"),
    /// A table whose cells are separated by commas or semicolons: a document per row.
    CSV("csv"),
    /// A table whose cells are separated by tabs: a document per row.
    TSV("tsv", "tab"),
    /// JSON Lines: a document per line.
    JSONL("jsonl", "ndjson"),
    /// JSON: a document per object of an array, else one.
    JSON("json");

    private static final String GZ = ".gz";

    private final List<String> suffixes;

    FileKind(String... suffixes) {
        this.suffixes = List.of(suffixes);
    }

    /// Its name in metadata, such as `markdown`.
    public String title() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Whether a file is a sequence of documents.
    public boolean hasRecords() {
        return this == CSV || this == TSV || this == JSONL || this == JSON;
    }

    /// The kind that a name tells; empty if it tells none.
    ///
    /// @param name of a file, with or without `.gz`
    public static Optional<FileKind> of(String name) {
        String suffix = suffix(name);
        for (FileKind kind : values()) {
            if (kind.suffixes.contains(suffix)) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }

    /// Whether a name ends in `.gz`.
    public static boolean isPacked(String name) {
        return name.toLowerCase(Locale.ROOT).endsWith(GZ);
    }

    /// What a name ends in, in small letters, without the dot and without `.gz`; empty for names without.
    public static String suffix(String name) {
        String plain = isPacked(name) ? name.substring(0, name.length() - GZ.length()) : name;
        int dot = plain.lastIndexOf('.');
        return dot <= 0 ? "" : plain.substring(dot + 1).toLowerCase(Locale.ROOT);
    }
}
