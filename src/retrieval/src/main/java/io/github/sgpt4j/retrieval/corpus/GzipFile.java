package io.github.sgpt4j.retrieval.corpus;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/// Decompresses a gz file of one or several members to its very end: anything after a member that is
/// neither another member nor zero padding is an error. Java's own stream treats it as the end, so that
/// the rest of a file with several members would be lost silently where one of them is damaged or cut
/// off.
public final class GzipFile extends GZIPInputStream {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int TRAILER_BYTES = 8;

    private final Path file;
    private final CountingStream raw;
    private long countAtFill;

    private GzipFile(Path file, CountingStream raw) throws IOException {
        super(raw, BUFFER_BYTES);
        this.file = file;
        this.raw = raw;
    }

    /// Starts to decompress a file.
    ///
    /// @param file the file that `raw` reads, from its beginning
    /// @param raw closed with the stream
    /// @throws IOException if it does not begin like a gz file
    public static GzipFile open(Path file, InputStream raw) throws IOException {
        try {
            return new GzipFile(file, new CountingStream(raw));
        } catch (EOFException e) {
            throw cut(e);
        }
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read;
        try {
            read = super.read(bytes, offset, length);
        } catch (EOFException e) {
            throw cut(e);
        }
        if (read < 0) {
            checkEnd();
        }
        return read;
    }

    @Override
    protected void fill() throws IOException {
        super.fill();
        countAtFill = raw.count();
    }

    private void checkEnd() throws IOException {
        long end = countAtFill - inf.getRemaining() + TRAILER_BYTES;
        if (raw.count() == end && raw.read() < 0) {
            return;
        }
        try (InputStream rest = Files.newInputStream(file)) {
            rest.skipNBytes(end);
            byte[] block = rest.readNBytes(BUFFER_BYTES);
            while (block.length > 0) {
                for (byte value : block) {
                    if (value != 0) {
                        throw new IOException(
                                "expected the end or another member of the gz file at byte %d, got something else"
                                        .formatted(end));
                    }
                }
                block = rest.readNBytes(BUFFER_BYTES);
            }
        }
    }

    private static IOException cut(EOFException e) {
        return new IOException("the gz file ends within a member", e);
    }
}
