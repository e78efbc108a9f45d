package io.github.sgpt4j.backend.cuda.launch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// Files of one content in a folder, each by a hash of everything that it depends on. What is damaged is not used, and
/// replaced by what is kept next. A folder that cannot be written only costs time. Notices tell of both.
public final class KeptFiles {
    private static final int DIGEST_BYTES = 32;

    /// What the files have in them, for notices.
    ///
    /// @param name such as "compiled kernels"
    /// @param withoutFile what follows from a damaged file, such as "it is compiled again"
    /// @param withoutFolder what follows if none can be kept, such as "each process compiles them again"
    /// @param maxBytes no file is larger
    public record Content(String name, String withoutFile, String withoutFolder, long maxBytes) {}

    private final Content content;
    private final Optional<Path> folder;
    private final Set<String> notices;

    /// @param folder where they lie, made when needed; or empty if nothing can be kept
    /// @param notices where notices go
    KeptFiles(Content content, Optional<Path> folder, Set<String> notices) {
        this.content = content;
        this.folder = folder;
        this.notices = notices;
    }

    /// The name of a file, from everything that it depends on.
    public static String key(List<String> parts) {
        MessageDigest digest = sha256();
        parts.forEach(part -> add(digest, part));
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
    public Optional<byte[]> get(String key) {
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
        if (!attributes.isRegularFile() || attributes.size() > content.maxBytes) {
            noticeOther(key);
            return Optional.empty();
        }
        byte[] bytes = Files.readAllBytes(file);
        byte[] kept = Arrays.copyOfRange(bytes, Math.min(DIGEST_BYTES, bytes.length), bytes.length);
        if (bytes.length <= DIGEST_BYTES || !Arrays.equals(Arrays.copyOf(bytes, DIGEST_BYTES), digest(key, kept))) {
            noticeDamage("%s: expected %s, got a damaged file".formatted(file, content.name));
            return Optional.empty();
        }
        return Optional.of(kept);
    }

    /// Includes the key, so that a file under another name than its own is not taken.
    private static byte[] digest(String key, byte[] bytes) {
        MessageDigest digest = sha256();
        add(digest, key);
        return digest.digest(bytes);
    }

    /// Stores bytes: whole or not at all, also with other processes doing the same.
    public void put(String key, byte[] bytes) {
        if (folder.isEmpty()) {
            return;
        }
        try {
            Files.createDirectories(folder.get());
            Path part = Files.createTempFile(folder.get(), "part-", "");
            try {
                byte[] file = Arrays.copyOf(digest(key, bytes), DIGEST_BYTES + bytes.length);
                System.arraycopy(bytes, 0, file, DIGEST_BYTES, bytes.length);
                Files.write(part, file);
                move(part, folder.get().resolve(key));
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            noticeNotKept(folder.get().toString(), reason(e));
        }
    }

    /// For a file whose bytes are as they were stored, but not of the content.
    public void noticeOther(String key) {
        folder.ifPresent(in ->
                noticeDamage("%s: expected a file of %s, got something else".formatted(in.resolve(key), content.name)));
    }

    private void noticeDamage(String what) {
        notices.add("cuda: %s; %s".formatted(what, content.withoutFile));
    }

    void noticeNotKept(String where, String reason) {
        notices.add("cuda: %s: %s cannot be kept there, so %s: %s"
                .formatted(where, content.name, content.withoutFolder, reason));
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
