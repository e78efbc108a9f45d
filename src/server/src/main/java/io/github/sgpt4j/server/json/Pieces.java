package io.github.sgpt4j.server.json;

import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Bytes of unknown number. Takes up as much as they do, where a buffer that grows would take up three times as much.
final class Pieces extends OutputStream {
    private static final int FIRST_BYTES = 1 << 9;
    private static final int MAX_BYTES = 1 << 16;

    private final List<byte[]> full = new ArrayList<>();
    private byte[] piece = new byte[FIRST_BYTES];
    private int used;
    private long length;

    @Override
    public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) {
        int next = from;
        int end = from + count;
        while (next < end) {
            if (used == piece.length) {
                full.add(piece);
                piece = new byte[Math.min(MAX_BYTES, 2 * piece.length)];
                used = 0;
            }
            int copied = Math.min(end - next, piece.length - used);
            System.arraycopy(bytes, next, piece, used, copied);
            used += copied;
            next += copied;
        }
        length += count;
    }

    /// All of them.
    byte[] joined() {
        if (full.isEmpty()) {
            return Arrays.copyOf(piece, used);
        }
        byte[] all = new byte[Math.toIntExact(length)];
        int to = 0;
        for (byte[] each : full) {
            System.arraycopy(each, 0, all, to, each.length);
            to += each.length;
        }
        System.arraycopy(piece, 0, all, to, used);
        return all;
    }
}
