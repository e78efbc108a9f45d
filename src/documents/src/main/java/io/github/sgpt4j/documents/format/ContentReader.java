package io.github.sgpt4j.documents.format;

import java.io.IOException;

/// Reads files of one kind.
public interface ContentReader {
    /// Opens a file. The caller closes what it gets.
    ///
    /// @throws IOException if the file cannot be read; a [io.github.sgpt4j.documents.decoding.FileProblem]
    ///     if that is for its content
    Contents open(FileSource source) throws IOException;
}
