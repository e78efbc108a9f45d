package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.GzipFile;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Opens text files.
final class TextFiles {
    private TextFiles() {}

    /// A file's lines; `.gz` is decompressed. The caller closes it.
    ///
    /// @throws IOException if it is missing or cannot be read
    static LineReader open(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FormatException(file + ": expected a file, got a directory");
        }
        InputStream raw = Files.newInputStream(file);
        try {
            boolean packed = file.toString().toLowerCase(Locale.ROOT).endsWith(".gz");
            return new LineReader(packed ? GzipFile.open(file, raw) : raw, file.toString());
        } catch (IOException e) {
            raw.close();
            Interrupts.checkCause(file.toString(), e);
            throw new FormatException("%s: not gzip: %s".formatted(file, e.getMessage()), e);
        }
    }
}
