package io.github.sgpt4j.documents.decoding;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// Refuses to deliver more bytes than allowed, so that a small file cannot expand without end. The allowance
/// can be renewed, for files that are a sequence of documents.
public final class BoundedStream extends FilterInputStream {
    /// Below this, files may expand as they like.
    private static final long FREE_BYTES = 64L << 20;

    private static final int MAX_EXPANSION = 200;

    private final long limit;
    private final long packedBytes;
    private long left;
    private long total;

    /// @param in closed with this
    /// @param limit bytes until the end, or between two renewals
    /// @param packedBytes size of the compressed file; 0 if it is not compressed
    public BoundedStream(InputStream in, long limit, long packedBytes) {
        super(in);
        this.limit = limit;
        this.packedBytes = packedBytes;
        left = limit;
    }

    /// Allows as many bytes again as in the beginning.
    public void renew() {
        left = limit;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read = super.read(bytes, offset, length);
        if (read > 0) {
            left -= read;
            total += read;
            if (left < 0) {
                throw new FileProblem("expected at most %,d bytes%s, got more"
                        .formatted(limit, packedBytes > 0 ? " when decompressed" : ""));
            }
            if (packedBytes > 0 && total > FREE_BYTES && total / MAX_EXPANSION > packedBytes) {
                throw new FileProblem("expands to more than %d times its size".formatted(MAX_EXPANSION));
            }
        }
        return read;
    }

    @Override
    public long skip(long count) throws IOException {
        byte[] block = new byte[(int) Math.min(count, 1 << 13)];
        return Math.max(0, read(block, 0, block.length));
    }

    @Override
    public boolean markSupported() {
        return false;
    }
}
