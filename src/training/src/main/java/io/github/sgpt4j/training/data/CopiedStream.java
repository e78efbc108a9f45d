package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/// Hashes what is read, and writes it to a file if one is given.
final class CopiedStream extends FilterInputStream {
    private final OutputStream copy;
    private final Optional<Path> file;
    private final MessageDigest digest;

    private CopiedStream(InputStream in, OutputStream copy, Optional<Path> file, MessageDigest digest) {
        super(in);
        this.copy = copy;
        this.file = file;
        this.digest = digest;
    }

    /// @param in closed with the stream
    static CopiedStream of(InputStream in, Optional<Path> file) throws IOException {
        OutputStream copy = file.isPresent() ? Files.newOutputStream(file.get()) : OutputStream.nullOutputStream();
        try {
            return new CopiedStream(in, copy, file, MessageDigest.getInstance("SHA-256"));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    /// @throws FormatException if the copy cannot be written, such as on a full disk
    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        int count = super.read(target, offset, length);
        if (count > 0) {
            digest.update(target, offset, count);
            write(target, offset, count);
        }
        return count;
    }

    private void write(byte[] target, int offset, int count) {
        try {
            copy.write(target, offset, count);
        } catch (IOException e) {
            // Not the file that is read.
            throw new FormatException(
                    "%s: cannot be written: %s"
                            .formatted(file.map(Path::toString).orElse(""), e.getMessage()),
                    e);
        }
    }

    /// Completes the copy.
    ///
    /// @return the SHA-256 of all that was read, in hexadecimal digits
    String finish() throws IOException {
        copy.close();
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() throws IOException {
        try (copy) {
            super.close();
        }
    }
}
