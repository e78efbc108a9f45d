package io.github.sgpt4j.weightstools.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// A stream that fails when it exceeds a length.
final class BoundedStream extends FilterInputStream {
    private final long most;
    private final String what;
    private long count;

    /// @param most longest allowed length in bytes
    /// @param what names the input in messages
    BoundedStream(InputStream in, long most, String what) {
        super(in);
        this.most = most;
        this.what = what;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read = super.read(bytes, offset, length);
        count += Math.max(0, read);
        if (count > most) {
            throw new HubException("%s: expected at most %d bytes, got more".formatted(what, most));
        }
        return read;
    }
}
