package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/// A file that is read once, decompressed if its name ends in `.gz`. A failure to read is a
/// [FormatException], so that it differs from a failure to write what was read.
final class ScoreSource extends FilterInputStream {
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path file;

    private ScoreSource(Path file, InputStream in) {
        super(in);
        this.file = file;
    }

    /// @param listener told of the bytes of the file that were read
    static ScoreSource open(Path file, ConvertListener listener) {
        if (!Files.isRegularFile(file)) {
            throw new FormatException("%s: expected a file, %s"
                    .formatted(file, Files.exists(file) ? "got something else" : "found nothing there"));
        }
        try {
            InputStream raw = new Counted(Files.newInputStream(file), Files.size(file), listener);
            try {
                InputStream in = ScoreConverter.isPacked(file) ? new GZIPInputStream(raw, BUFFER_BYTES) : raw;
                return new ScoreSource(file, in);
            } catch (IOException e) {
                raw.close();
                throw e;
            }
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    @Override
    public int read() {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
        try {
            return super.read(target, offset, length);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    /// Tells a listener of what was read.
    private static final class Counted extends FilterInputStream {
        private final long size;
        private final ConvertListener listener;
        private long count;

        Counted(InputStream in, long size, ConvertListener listener) {
            super(in);
            this.size = size;
            this.listener = listener;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int read = super.read(target, offset, length);
            if (read > 0) {
                count += read;
                listener.progress(count, size);
            }
            return read;
        }
    }
}
