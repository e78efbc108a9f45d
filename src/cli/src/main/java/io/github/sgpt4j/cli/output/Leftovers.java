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

/// Removes temporary files and folders that killed processes left behind. Those still in use are locked.
public final class Leftovers {
    /// Where files cannot be locked, a file not modified for this long counts as abandoned.
    private static final Duration ABANDONED = Duration.ofDays(1);

    /// Paths in use by this process. Opening and closing such a file again would release its lock.
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private Leftovers() {}

    /// Protects a file or folder of this process from removal.
    public static void keep(Path path) {
        OWN.add(path);
    }

    /// Ends the protection of a path that is removed or no longer used.
    public static void forget(Path path) {
        OWN.remove(path);
    }

    /// Whether this process now holds the file's lock, or the file system does not support locks.
    public static boolean lock(FileChannel channel) {
        try {
            return channel.tryLock() != null;
        } catch (IOException e) {
            return true;
        }
    }

    /// Removes the regular files beside a file that match a pattern, have the same owner, and are not locked.
    /// Those that cannot be read or removed stay.
    ///
    /// @param file absolute; is not removed itself
    public static void removeFilesBeside(Path file, Pattern names) {
        removeBeside(file, names, (each, attributes) -> {
            if (attributes.isRegularFile()) {
                removeFile(each, attributes);
            }
        });
    }

    /// The same for folders, where [LockedFolder#LOCK_FILE] is the file that is locked.
    public static void removeFoldersBeside(Path folder, Pattern names) {
        removeBeside(folder, names, (each, attributes) -> {
            if (attributes.isDirectory()) {
                removeFolder(each, attributes);
            }
        });
    }

    /// Removes a file or folder if it is not in use.
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
            // A directory that cannot be listed may still be writable.
        }
    }

    private static void remove(Path path, Optional<UserPrincipal> owner, Removal removal) {
        try {
            if (owner.equals(owner(path))) {
                removal.remove(path, Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
            }
        } catch (IOException e) {
            // Probably not ours: leave it.
        }
    }

    private static void removeFile(Path file, BasicFileAttributes attributes) throws IOException {
        try (FileChannel channel = open(file)) {
            if (isAbandoned(channel, attributes)) {
                // The lock is held until the file is gone, so that a process that just created it notices.
                Files.deleteIfExists(file);
            }
        }
    }

    private static void removeFolder(Path folder, BasicFileAttributes attributes) throws IOException {
        try (FileChannel channel = open(folder.resolve(LockedFolder.LOCK_FILE))) {
            if (isAbandoned(channel, attributes)) {
                // The lock file is removed last, so that if this process is killed, another can remove the rest.
                LockedFolder.clear(folder);
                LockedFolder.remove(folder);
            }
        } catch (NoSuchFileException e) {
            // Created, but still empty. Fails if there is something in it.
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

    /// Empty where files have no owner.
    private static Optional<UserPrincipal> owner(Path path) throws IOException {
        try {
            return Optional.of(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS));
        } catch (UnsupportedOperationException e) {
            return Optional.empty();
        }
    }
}
