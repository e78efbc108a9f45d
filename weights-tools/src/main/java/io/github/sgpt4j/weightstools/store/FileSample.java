package io.github.sgpt4j.weightstools.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// Checksums of files' contents. CRC-32C detects damage, not forgery, and is fast from the first byte
/// on.
final class FileSample {
    private static final int BLOCK = 1 << 16;

    /// Blocks of a file that are read: the first, the last, and some between.
    private static final int BLOCKS = 4;

    private FileSample() {}

    /// Checksums of at most 256 KiB spread over a file.
    static String of(Path file) throws IOException {
        StringBuilder sums = new StringBuilder();
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            ByteBuffer block = ByteBuffer.allocate(BLOCK);
            for (int i = 0; i < BLOCKS; i++) {
                long last = Math.max(0, size - BLOCK);
                CRC32C sum = new CRC32C();
                update(sum, channel, block, last / (BLOCKS - 1) * i + last % (BLOCKS - 1) * i / (BLOCKS - 1), BLOCK);
                sums.append(hex(sum));
                if (last == 0) {
                    break;
                }
            }
        }
        return sums.toString();
    }

    /// The checksum of the whole file.
    static String ofAll(Path file) throws IOException {
        CRC32C sum = new CRC32C();
        try (FileChannel channel = FileChannel.open(file)) {
            update(sum, channel, ByteBuffer.allocate(BLOCK * BLOCKS), 0, channel.size());
        }
        return hex(sum);
    }

    private static void update(CRC32C sum, FileChannel channel, ByteBuffer block, long from, long count)
            throws IOException {
        long at = from;
        while (at < from + count) {
            block.clear().limit((int) Math.min(block.capacity(), from + count - at));
            int read = channel.read(block, at);
            if (read < 0) {
                return;
            }
            sum.update(block.flip());
            at += read;
        }
    }

    private static String hex(CRC32C sum) {
        return HexFormat.of().toHexDigits((int) sum.getValue());
    }
}
