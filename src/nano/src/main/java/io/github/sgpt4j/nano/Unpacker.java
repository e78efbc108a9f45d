package io.github.sgpt4j.nano;

import io.github.sgpt4j.files.FileEntries;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// Unpacks files into a directory once. Several processes may try at the same time: each fills its own directory, and
/// the first one to rename it wins.
final class Unpacker {
    private static final int ATTEMPTS = 5;

    /// Name of the file that records the stamps of the others.
    private static final String STAMPS = ".unpacked";

    private static final String MODIFIED = "lastModifiedTime";
    private static final String UNIX_ATTRIBUTES = "unix:lastModifiedTime,ctime,ino";

    /// No run takes longer; older files were left by a run that was killed.
    private static final Duration MAX_RUN_TIME = Duration.ofHours(1);

    private final List<ListedFile> files;
    private final Function<String, InputStream> source;

    /// @param source opens a packed file by its path
    Unpacker(List<ListedFile> files, Function<String, InputStream> source) {
        this.files = List.copyOf(files);
        this.source = source;
    }

    /// The complete directory `name` in `cache`, or a temporary one with a similar name if `cache` cannot be
    /// written.
    Path unpack(Path cache, String name) throws IOException {
        Path target = cache.resolve(name);
        if (isComplete(target) && isUntouched(target)) {
            return target;
        }
        try {
            Files.createDirectories(cache);
            return install(cache, target);
        } catch (IOException e) {
            return temporary(name, e);
        }
    }

    /// Whether no file was written to since the contents were last verified.
    private boolean isUntouched(Path directory) {
        Path note = directory.resolve(STAMPS);
        try {
            String stamps = stamps(directory);
            if (Files.isRegularFile(note) && Files.readString(note).equals(stamps)) {
                return true;
            }
            if (!isRight(directory)) {
                return false;
            }
            recordStamps(directory, stamps);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /// Records the stamps. If that fails, the contents are verified again next time.
    private static void recordStamps(Path directory, String stamps) {
        try {
            Path work = Files.createTempFile(directory, STAMPS, ".new");
            try {
                Files.writeString(work, stamps);
                Files.move(work, directory.resolve(STAMPS), StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(work);
            }
        } catch (IOException e) {
            return;
        }
    }

    /// Times and inode numbers of all files, as precisely as the file system records them.
    private String stamps(Path directory) throws IOException {
        StringBuilder stamps = new StringBuilder();
        boolean unix = directory.getFileSystem().supportedFileAttributeViews().contains("unix");
        for (ListedFile file : files) {
            Path path = directory.resolve(file.path());
            Map<String, Object> found = Files.readAttributes(path, unix ? UNIX_ATTRIBUTES : MODIFIED);
            stamps.append(file.path()).append(' ').append(nanos(found, MODIFIED));
            if (unix) {
                stamps.append(' ').append(nanos(found, "ctime")).append(' ').append(found.get("ino"));
            }
            stamps.append('\n');
        }
        return stamps.toString();
    }

    private static long nanos(Map<String, Object> attributes, String name) {
        return attributes.get(name) instanceof FileTime time ? time.to(TimeUnit.NANOSECONDS) : 0;
    }

    private boolean isRight(Path directory) throws IOException {
        for (ListedFile file : files) {
            MessageDigest digest = sha256();
            byte[] buffer = new byte[1 << 18];
            try (InputStream in = Files.newInputStream(directory.resolve(file.path()))) {
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    digest.update(buffer, 0, count);
                }
            }
            if (!HexFormat.of().formatHex(digest.digest()).equals(file.sha256())) {
                return false;
            }
        }
        return true;
    }

    /// Whether every file exists with the right size.
    private boolean isComplete(Path directory) {
        for (ListedFile file : files) {
            try {
                BasicFileAttributes found =
                        Files.readAttributes(directory.resolve(file.path()), BasicFileAttributes.class);
                if (!found.isRegularFile() || found.size() != file.size()) {
                    return false;
                }
            } catch (IOException e) {
                return false;
            }
        }
        return true;
    }

    private Path install(Path cache, Path target) throws IOException {
        clean(cache, target);
        Path work = Files.createTempDirectory(cache, target.getFileName() + ".new");
        try {
            write(work);
            recordStamps(work, stamps(work));
            for (int attempt = 1; ; attempt++) {
                try {
                    return Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException e) {
                    // Either another process was faster, or a damaged directory is in the way.
                    if (isComplete(target) && isUntouched(target)) {
                        return target;
                    }
                    if (attempt == ATTEMPTS) {
                        throw e;
                    }
                    moveAway(cache, target);
                }
            }
        } finally {
            delete(work);
        }
    }

    /// Removes directories left by killed runs.
    private static void clean(Path cache, Path target) throws IOException {
        FileTime old = FileTime.from(Instant.now().minus(MAX_RUN_TIME));
        try (DirectoryStream<Path> left = Files.newDirectoryStream(cache, target.getFileName() + ".{new,old}*")) {
            for (Path path : left) {
                if (Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).compareTo(old) < 0) {
                    delete(path);
                }
            }
        } catch (NoSuchFileException | DirectoryIteratorException e) {
            // Another process is cleaning up too.
            return;
        }
    }

    private static void moveAway(Path cache, Path target) throws IOException {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Path old = Files.createTempDirectory(cache, target.getFileName() + ".old");
        try {
            Files.move(target, old.resolve("moved"), StandardCopyOption.ATOMIC_MOVE);
        } finally {
            delete(old);
        }
    }

    private Path temporary(String name, IOException reason) throws IOException {
        Path directory;
        try {
            directory = Files.createTempDirectory(name + "-");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory)));
            write(directory);
        } catch (IOException e) {
            e.addSuppressed(reason);
            throw e;
        }
        return directory;
    }

    private void write(Path directory) throws IOException {
        for (ListedFile file : files) {
            Path path = directory.resolve(file.path());
            Files.createDirectories(path.getParent());
            MessageDigest digest = sha256();
            try (InputStream in = source.apply(file.path());
                    OutputStream out = new DigestOutputStream(Files.newOutputStream(path), digest)) {
                in.transferTo(out);
            } catch (FileSystemException e) {
                throw e;
            } catch (IOException e) {
                // Such as a full disk, whose message does not include the file's name.
                throw new IOException("%s: %s".formatted(path, e.getMessage()), e);
            }
            String found = HexFormat.of().formatHex(digest.digest());
            if (!found.equals(file.sha256())) {
                throw new IOException(
                        "packed file %s: expected SHA-256 %s, got %s".formatted(file.path(), file.sha256(), found));
            }
        }
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// Deletes a directory with its contents, as far as possible.
    private static void delete(Path directory) {
        try {
            FileEntries.remove(directory);
        } catch (IOException e) {
            // A leftover in a cache or temporary directory does no harm.
        }
    }
}
