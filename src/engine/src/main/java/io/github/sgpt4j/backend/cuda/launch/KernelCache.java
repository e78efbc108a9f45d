package io.github.sgpt4j.backend.cuda.launch;

import io.github.sgpt4j.files.UserCache;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Compiled kernels on disk, by a hash of everything that went into them. What is damaged is not used: it is compiled
/// and kept again. A folder that cannot be written only costs time. [#notices] tells of both.
public final class KernelCache {
    /// System property that names another folder.
    public static final String PROPERTY = "sgpt4j.cuda.cache";

    /// Changes with the form of the files.
    private static final String FORM = "sgpt4j kernels 2";

    private static final int DIGEST_BYTES = 32;
    private static final long MAX_BYTES = 1L << 28;

    private final Optional<Path> folder;
    private final Set<String> notices = Collections.synchronizedSet(new LinkedHashSet<>());

    /// @param folder where they lie; made when needed
    KernelCache(Path folder) {
        this(Optional.of(folder));
    }

    private KernelCache(Optional<Path> folder) {
        this.folder = folder;
    }

    /// The folder of this user.
    public static KernelCache ofUser() {
        String chosen = System.getProperty(PROPERTY, "");
        if (!chosen.isBlank()) {
            return in("system property " + PROPERTY, () -> Path.of(chosen));
        }
        UserCache cache = UserCache.ofProcess();
        return in(cache.source(), () -> cache.resolve("kernels"));
    }

    /// A name that files cannot have here, perhaps for the system's character encoding, is one more reason to keep
    /// nothing.
    ///
    /// @param source where the name comes from
    private static KernelCache in(String source, Supplier<Path> folder) {
        try {
            return new KernelCache(folder.get());
        } catch (InvalidPathException e) {
            KernelCache none = new KernelCache(Optional.empty());
            none.noticeNotKept(source, "no name that a folder can have here");
            return none;
        }
    }

    /// What people should know about files that were damaged or could not be written, one sentence each.
    public List<String> notices() {
        synchronized (notices) {
            return List.copyOf(notices);
        }
    }

    /// The name of what a compiler makes of a source.
    ///
    /// @param compiler its name and version
    static String key(String compiler, String source, Map<String, String> headers, List<String> options) {
        MessageDigest digest = sha256();
        add(digest, FORM);
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
        if (folder.isEmpty() || !Files.isDirectory(folder.get())) {
            return Optional.empty();
        }
        Path file = folder.get().resolve(key);
        try {
            return read(file, key);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            noticeDamage("%s: cannot be read: %s".formatted(file, reason(e)));
            return Optional.empty();
        }
    }

    private Optional<byte[]> read(Path file, String key) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (!attributes.isRegularFile() || attributes.size() > MAX_BYTES) {
            noticeDamage(file + ": expected a file of compiled kernels, got something else");
            return Optional.empty();
        }
        byte[] bytes = Files.readAllBytes(file);
        byte[] image = Arrays.copyOfRange(bytes, Math.min(DIGEST_BYTES, bytes.length), bytes.length);
        if (bytes.length <= DIGEST_BYTES || !Arrays.equals(Arrays.copyOf(bytes, DIGEST_BYTES), digest(key, image))) {
            noticeDamage(file + ": expected compiled kernels, got a damaged file");
            return Optional.empty();
        }
        return Optional.of(image);
    }

    /// Includes the key, so that a file under another name than its own is not taken.
    private static byte[] digest(String key, byte[] image) {
        MessageDigest digest = sha256();
        add(digest, key);
        return digest.digest(image);
    }

    /// Stores an image: whole or not at all, also with other processes doing the same.
    void put(String key, byte[] image) {
        if (folder.isEmpty()) {
            return;
        }
        try {
            Files.createDirectories(folder.get());
            Path part = Files.createTempFile(folder.get(), "part-", "");
            try {
                byte[] file = Arrays.copyOf(digest(key, image), DIGEST_BYTES + image.length);
                System.arraycopy(image, 0, file, DIGEST_BYTES, image.length);
                Files.write(part, file);
                move(part, folder.get().resolve(key));
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            noticeNotKept(folder.get().toString(), reason(e));
        }
    }

    private void noticeDamage(String what) {
        notices.add("cuda: %s; it is compiled again".formatted(what));
    }

    private void noticeNotKept(String where, String reason) {
        notices.add("cuda: %s: compiled kernels cannot be kept there, so each process compiles them again: %s"
                .formatted(where, reason));
    }

    /// Without the file, which is named already.
    private static String reason(IOException failure) {
        return switch (failure) {
            case AccessDeniedException e -> "permission denied";
            case FileAlreadyExistsException e -> "a file is in its place";
            case DirectoryNotEmptyException e -> "a folder is in the place of a file";
            case FileSystemException e -> Objects.requireNonNullElse(e.getReason(), "no reason given");
            default -> Objects.requireNonNullElse(failure.getMessage(), "no reason given");
        };
    }

    /// Over what is there, if that is no folder with something in it.
    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
