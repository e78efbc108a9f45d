package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.kind.FileKind;

/// The reader of each kind. Libraries are loaded when the first file of their kind is opened.
public final class Readers {
    private Readers() {}

    /// The reader of a kind.
    public static ContentReader of(FileKind kind) {
        return switch (kind) {
            case TEXT -> new PlainTextReader();
            case MARKDOWN -> new MarkdownReader();
            case RST -> new RstReader();
            case HTML -> new HtmlReader();
            case PDF -> new PdfReader();
            case DOCX -> new DocxReader();
            case CSV -> new TableReader(false);
            case TSV -> new TableReader(true);
            case JSONL -> new JsonLinesReader();
            case JSON -> new JsonFileReader();
        };
    }
}
