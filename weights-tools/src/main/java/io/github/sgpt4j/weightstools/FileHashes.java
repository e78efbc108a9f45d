package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.json.Unreadable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.LongConsumer;

/// Hashes of a file's content.
///
/// @param bytes its length
/// @param sha256 in hexadecimal digits
/// @param gitSha1 Git's hash of the content, if requested
record FileHashes(long bytes, String sha256, Optional<String> gitSha1) {
    private static final int PIECE_BYTES = 1 << 20;

    /// Reads a file once.
    ///
    /// @param git whether to compute Git's hash as well
    /// @param read called with the number of bytes of each piece, on this thread
    /// @throws io.github.sgpt4j.error.FormatException if it cannot be read
    static FileHashes of(Path file, boolean git, LongConsumer read) {
        MessageDigest sha256 = digest("SHA-256");
        MessageDigest sha1 = digest("SHA-1");
        ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            sha1.update("blob %d\0".formatted(size).getBytes(StandardCharsets.US_ASCII));
            while (channel.read(piece) >= 0) {
                sha256.update(piece.array(), 0, piece.position());
                if (git) {
                    sha1.update(piece.array(), 0, piece.position());
                }
                read.accept(piece.position());
                piece.clear();
            }
            HexFormat hex = HexFormat.of();
            return new FileHashes(
                    size,
                    hex.formatHex(sha256.digest()),
                    git ? Optional.of(hex.formatHex(sha1.digest())) : Optional.empty());
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has " + algorithm, e);
        }
    }
}
