package io.github.sgpt4j.documents;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// How a folder is read.
///
/// @param metadataFields keys of JSON objects and columns of tables whose values become metadata under the
///     same names
/// @param excluded folders that are not entered, such as one that holds an index
/// @param maxBytes largest file that is read, decompressed; for files with a document per record, largest
///     record
/// @param maxCharacters longest text of a document
/// @param maxSeconds longest time that one PDF file may take
/// @param systemFonts whether widths that a PDF file lacks may be taken from the system's fonts. PDFBox
///     reads all of them first, and keeps a list of them in the user's home. Without, the font that it
///     brings is used; this applies to all use of PDFBox in the virtual machine
public record FolderOptions(
        List<String> metadataFields,
        Set<Path> excluded,
        long maxBytes,
        int maxCharacters,
        int maxSeconds,
        boolean systemFonts) {
    /// No fields; files of 64 MiB, texts of 16,777,216 characters, PDF files that take a minute.
    public static final FolderOptions DEFAULT = new FolderOptions(List.of(), Set.of(), 64L << 20, 16 << 20, 60, true);

    /// Limits are at least 1; lists cannot be changed.
    public FolderOptions {
        metadataFields = List.copyOf(metadataFields);
        excluded = Set.copyOf(excluded);
        if (maxBytes < 1 || maxCharacters < 1 || maxSeconds < 1) {
            throw new IllegalArgumentException("limits: expected at least 1, got %d bytes, %d characters, %d s"
                    .formatted(maxBytes, maxCharacters, maxSeconds));
        }
    }

    /// The same with other fields as metadata.
    public FolderOptions withMetadataFields(List<String> fields) {
        return new FolderOptions(fields, excluded, maxBytes, maxCharacters, maxSeconds, systemFonts);
    }

    /// The same with other folders that are not entered.
    public FolderOptions withExcluded(Set<Path> folders) {
        return new FolderOptions(metadataFields, folders, maxBytes, maxCharacters, maxSeconds, systemFonts);
    }

    /// The same with other limits.
    public FolderOptions withLimits(long bytes, int characters, int seconds) {
        return new FolderOptions(metadataFields, excluded, bytes, characters, seconds, systemFonts);
    }

    /// The same, with or without the system's fonts.
    public FolderOptions withSystemFonts(boolean allowed) {
        return new FolderOptions(metadataFields, excluded, maxBytes, maxCharacters, maxSeconds, allowed);
    }
}
