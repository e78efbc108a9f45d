package io.github.sgpt4j.documents.decoding;

import java.util.List;

/// How files are read.
///
/// @param metadataFields keys of objects and columns of tables whose values become metadata
/// @param maxBytes largest file, or record of a file, decompressed
/// @param maxCharacters longest text
/// @param maxSeconds longest time that a PDF file may take
/// @param systemFonts whether PDF files may use the fonts of the system, which are looked for first
public record ReadingLimits(
        List<String> metadataFields, long maxBytes, int maxCharacters, int maxSeconds, boolean systemFonts) {
    /// The list cannot be changed.
    public ReadingLimits {
        metadataFields = List.copyOf(metadataFields);
    }
}
