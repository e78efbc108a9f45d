package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/// Temporary files and folders that killed processes left. A lock tells that somebody still uses one.
public final class Leftovers {
    /// Where files cannot be locked, one that was not touched for so long is nobody's.
    private static final Duration ABANDONED = Duration.ofDays(1);

    /// What this process uses. Opening and closing a file once more would give up its lock.
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private Leftovers() {}

    /// Spares a file or folder of this process from now on.
    public static void keep(Path path) {
        OWN.add(path);
    }

    /// It is gone, or not used any more.
    public static void forget(Path path) {
        OWN.remove(path);
    }

    /// Whether this process holds a file's lock now, or the file system has none.
    public static boolean lock(FileChannel channel) {
        try {
            return channel.tryLock() != null;
        } catch (IOException e) {
            return true;
        }
    }

    /// Removes regular files that lie beside a new one, have one of some names and the same owner, and are locked by
    /// nobody. What cannot be looked at or removed stays.
    ///
    /// @param file absolute; stays as well
    public static void removeFilesBeside(Path file, Pattern names) {
        removeBeside(file, names, (each, attributes) -> {
            if (attributes.isRegularFile()) {
                removeFile(each, attributes);
            }
        });
    }

    /// The same with folders, in which [LockedFolder#LOCK_FILE] is what is locked.
    public static void removeFoldersBeside(Path folder, Pattern names) {
        removeBeside(folder, names, (each, attributes) -> {
            if (attributes.isDirectory()) {
                removeFolder(each, attributes);
            }
        });
    }

    /// Removes something if nobody uses it.
    @FunctionalInterface
    private interface Removal {
        void remove(Path path, BasicFileAttributes attributes) throws IOException;
    }

    private static void removeBeside(Path path, Pattern names, Removal removal) {
        try (DirectoryStream<Path> beside = Files.newDirectoryStream(
                path.getParent(),
                each -> names.matcher(String.valueOf(each.getFileName())).matches() && !OWN.contains(each))) {
            for (Path each : beside) {
                remove(each, owner(path), removal);
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A directory that cannot be listed can be written to nevertheless.
        }
    }

    private static void remove(Path path, Optional<UserPrincipal> owner, Removal removal) {
        try {
            if (owner.equals(owner(path))) {
                removal.remove(path, Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
            }
        } catch (IOException e) {
            // It is not ours to touch.
        }
    }

    private static void removeFile(Path file, BasicFileAttributes attributes) throws IOException {
        try (FileChannel channel = open(file)) {
            if (isAbandoned(channel, attributes)) {
                // The lock is held until the file is gone: whoever just made it sees that in time.
                Files.deleteIfExists(file);
            }
        }
    }

    private static void removeFolder(Path folder, BasicFileAttributes attributes) throws IOException {
        try (FileChannel channel = open(folder.resolve(LockedFolder.LOCK_FILE))) {
            if (isAbandoned(channel, attributes)) {
                // The lock goes last, so that what this leaves if it is killed can be removed as well.
                LockedFolder.clear(folder);
                LockedFolder.remove(folder);
            }
        } catch (NoSuchFileException e) {
            // Made, but nothing in it yet. If it has something in it, this fails.
            Files.deleteIfExists(folder);
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    }

    private static boolean isAbandoned(FileChannel channel, BasicFileAttributes attributes) {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        } catch (IOException e) {
            return attributes
                    .lastModifiedTime()
                    .toInstant()
                    .isBefore(Instant.now().minus(ABANDONED));
        }
    }

    /// Empty where files have none.
    private static Optional<UserPrincipal> owner(Path path) throws IOException {
        try {
            return Optional.of(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS));
        } catch (UnsupportedOperationException e) {
            return Optional.empty();
        }
    }
}
