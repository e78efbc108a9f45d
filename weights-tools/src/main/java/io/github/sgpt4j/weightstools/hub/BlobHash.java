package io.github.sgpt4j.weightstools.hub;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/// Computes the hash by which a file's content is identified.
final class BlobHash {
    private static final int SHA256_DIGITS = 64;
    private static final int SHA1_DIGITS = 40;

    private final String name;
    private final MessageDigest digest;
    private final String expected;

    private BlobHash(String name, MessageDigest digest, String expected) {
        this.name = name;
        this.digest = digest;
        this.expected = expected;
    }

    /// @return empty if the tag is not a hash, so that only the length can be checked
    static Optional<BlobHash> of(RemoteFile file) {
        String tag = file.etag().toLowerCase(Locale.ROOT);
        if (!tag.matches("[0-9a-f]+")) {
            return Optional.empty();
        }
        return switch (tag.length()) {
            case SHA256_DIGITS -> Optional.of(new BlobHash("SHA-256", digest("SHA-256"), tag));
            case SHA1_DIGITS -> {
                // Git hashes the object's type and length before the content.
                MessageDigest digest = digest("SHA-1");
                digest.update(("blob " + file.bytes() + "\0").getBytes(StandardCharsets.UTF_8));
                yield Optional.of(new BlobHash("git's SHA-1", digest, tag));
            }
            default -> Optional.empty();
        };
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has " + algorithm, e);
        }
    }

    void update(ByteBuffer bytes) {
        digest.update(bytes);
    }

    /// Finishes the computation.
    ///
    /// @return the difference from the expected hash; empty if there is none
    Optional<String> mismatch() {
        String got = HexFormat.of().formatHex(digest.digest());
        return got.equals(expected)
                ? Optional.empty()
                : Optional.of("expected content with %s %s, got %s".formatted(name, expected, got));
    }
}
