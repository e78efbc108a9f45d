package io.github.sgpt4j.nano;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;

/// Puts packed files into a directory, once, so that several processes may try at the same time: each fills a
/// directory of its own, and the first to rename it wins.
final class Unpacker {
    private static final int ATTEMPTS = 5;

    private final List<ListedFile> files;
    private final Function<String, InputStream> source;

    /// @param source opens a packed file by its path
    Unpacker(List<ListedFile> files, Function<String, InputStream> source) {
        this.files = List.copyOf(files);
        this.source = source;
    }

    /// The directory `name` in `cache`, complete; or a temporary one of a similar name if `cache` cannot be written.
    Path unpack(Path cache, String name) throws IOException {
        Path target = cache.resolve(name);
        if (isComplete(target)) {
            return target;
        }
        try {
            Files.createDirectories(cache);
            return install(cache, target);
        } catch (IOException e) {
            return temporary(name, e);
        }
    }

    /// Whether every file is there with its size. Contents are checked when they are written, not at every start.
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
        Path work = Files.createTempDirectory(cache, target.getFileName() + ".new");
        try {
            write(work);
            for (int attempt = 1; ; attempt++) {
                try {
                    return Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException e) {
                    // Either another process was faster, or a damaged directory is in the way.
                    if (isComplete(target)) {
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
                // Such as a full disk, which does not name the file by itself.
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

    /// Deletes a directory and what is in it, as far as that goes.
    private static void delete(Path directory) {
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path visited, IOException e) throws IOException {
                    Files.deleteIfExists(visited);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException | UncheckedIOException e) {
            // A leftover in a cache or temporary directory harms nobody.
        }
    }
}
