package io.github.sgpt4j.documents.format;

import io.github.sgpt4j.documents.decoding.BoundedStream;
import io.github.sgpt4j.documents.decoding.BoundedText;
import io.github.sgpt4j.documents.decoding.Decoded;
import io.github.sgpt4j.documents.decoding.Encoding;
import io.github.sgpt4j.documents.decoding.EncodingScan;
import io.github.sgpt4j.documents.decoding.ReadingLimits;
import io.github.sgpt4j.documents.kind.FileKind;
import io.github.sgpt4j.retrieval.corpus.GzipFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/// A file to read.
///
/// @param path where it is
/// @param size in bytes, compressed if it is
/// @param limits what is read of it
/// @param told receives sentences about how it was understood
public record FileSource(Path path, long size, ReadingLimits limits, Consumer<String> told) {
    private static final int HEAD_BYTES = 1 << 13;

    /// The last name of the path.
    public String name() {
        return String.valueOf(path.getFileName());
    }

    /// Whether the file is compressed with gzip.
    public boolean packed() {
        return FileKind.isPacked(name());
    }

    /// Its bytes, decompressed, of which no more than [ReadingLimits#maxBytes] can be read between renewals.
    /// The caller closes the stream.
    ///
    /// @throws IOException if it cannot be opened
    public BoundedStream open() throws IOException {
        InputStream raw = Files.newInputStream(path);
        try {
            return new BoundedStream(packed() ? GzipFile.open(path, raw) : raw, limits.maxBytes(), packed() ? size : 0);
        } catch (IOException e) {
            raw.close();
            throw e;
        }
    }

    /// Looks at the beginning of a file of an unknown kind.
    ///
    /// @throws io.github.sgpt4j.documents.decoding.BinaryContent if it is no text
    /// @throws IOException if it cannot be read
    public void requireText() throws IOException {
        try (InputStream in = open()) {
            EncodingScan.requireText(in.readNBytes(HEAD_BYTES));
        }
    }

    /// All bytes, decompressed.
    ///
    /// @throws IOException if they cannot be read or are too many
    public byte[] bytes() throws IOException {
        try (InputStream in = open()) {
            return in.readAllBytes();
        }
    }

    /// The whole file as text. That its encoding was guessed is told.
    ///
    /// @throws IOException if it cannot be read, is no text, or too long
    public String text() throws IOException {
        Decoded decoded = EncodingScan.decode(bytes());
        tell(decoded.encoding());
        if (decoded.text().length() > limits.maxCharacters()) {
            throw BoundedText.tooLong(limits.maxCharacters());
        }
        return decoded.text();
    }

    /// Characters of an open stream, from its beginning.
    ///
    /// @param in of this file
    /// @throws IOException if the stream cannot be read
    Reader characters(InputStream in, Encoding encoding) throws IOException {
        in.readNBytes(encoding.markBytes());
        return new BufferedReader(new InputStreamReader(in, EncodingScan.strict(encoding)));
    }

    /// The encoding of a file that may be too large for memory, which is read to its end. That it was
    /// guessed is told.
    ///
    /// @throws IOException if it cannot be read, or is no text
    Encoding encoding() throws IOException {
        try (InputStream raw = Files.newInputStream(path);
                InputStream in = new BoundedStream(
                        packed() ? GzipFile.open(path, raw) : raw, Long.MAX_VALUE, packed() ? size : 0)) {
            Encoding encoding = EncodingScan.of(in);
            tell(encoding);
            return encoding;
        }
    }

    void tell(Encoding encoding) {
        if (encoding.guessed()) {
            told.accept("not UTF-8, read as " + encoding.charset().name());
        }
    }
}
