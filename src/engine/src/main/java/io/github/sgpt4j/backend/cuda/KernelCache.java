package io.github.sgpt4j.backend.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Compiled kernels on disk, by a hash of everything that went into them. A folder that cannot be written only costs
/// time; a damaged file is compiled again.
///
/// @param folder where they lie; made when needed
record KernelCache(Path folder) {
    /// System property that names another folder.
    static final String PROPERTY = "sgpt4j.cuda.cache";

    private static final int DIGEST_BYTES = 32;

    /// The folder of this user: below `XDG_CACHE_HOME`, else `~/.cache`.
    static KernelCache ofUser() {
        String chosen = System.getProperty(PROPERTY, "");
        if (!chosen.isBlank()) {
            return new KernelCache(Path.of(chosen));
        }
        String base = Optional.ofNullable(System.getenv("XDG_CACHE_HOME")).orElse("");
        Path cache = base.isBlank() ? Path.of(System.getProperty("user.home", "."), ".cache") : Path.of(base);
        return new KernelCache(cache.resolve("sgpt4j").resolve("kernels"));
    }

    /// The name of what a compiler makes of a source.
    ///
    /// @param compiler its name and version
    static String key(String compiler, String source, Map<String, String> headers, List<String> options) {
        MessageDigest digest = sha256();
        add(digest, compiler);
        add(digest, source);
        headers.forEach((name, text) -> {
            add(digest, name);
            add(digest, text);
        });
        options.forEach(option -> add(digest, option));
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void add(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
        digest.update(bytes);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// What was stored under a key, or empty if there is nothing whole.
    Optional<byte[]> get(String key) {
        try {
            byte[] file = Files.readAllBytes(folder.resolve(key));
            if (file.length <= DIGEST_BYTES) {
                return Optional.empty();
            }
            byte[] image = Arrays.copyOfRange(file, DIGEST_BYTES, file.length);
            byte[] stored = Arrays.copyOf(file, DIGEST_BYTES);
            return Arrays.equals(stored, sha256().digest(image)) ? Optional.of(image) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Stores an image: whole or not at all, also with other processes doing the same.
    void put(String key, byte[] image) {
        try {
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, "part-", "");
            try {
                byte[] file = Arrays.copyOf(sha256().digest(image), DIGEST_BYTES + image.length);
                System.arraycopy(image, 0, file, DIGEST_BYTES, image.length);
                Files.write(part, file);
                move(part, folder.resolve(key));
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            // The next process compiles again.
            return;
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
