package io.github.sgpt4j.weightstools;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/// Folders that one process at a time works in, whoever holds the lock on the file [#LOCK_FILE] in it, and their
/// removal.
public final class LockedFolder {
    /// Name of the file that is locked.
    public static final String LOCK_FILE = "lock";

    private LockedFolder() {}

    /// Removes everything in a folder but its lock. Links are removed, not followed.
    ///
    /// @throws IOException if something cannot be removed
    public static void clear(Path folder) throws IOException {
        delete(folder, false, false);
    }

    /// Removes a folder with everything in it, if it is there. Links are removed, not followed.
    ///
    /// @throws IOException if something cannot be removed
    public static void remove(Path folder) throws IOException {
        if (Files.exists(folder)) {
            delete(folder, true, false);
        }
    }

    /// @param all the folder itself, too
    /// @param opened whether the folder has been made accessible
    private static void delete(Path folder, boolean all, boolean opened) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                if (!Files.isWritable(directory)) {
                    makeAccessible(directory);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                boolean again = opened && file.equals(folder);
                if (again || !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
                    throw failure;
                }
                makeAccessible(file);
                delete(file, all || !file.equals(folder), true);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (all || !file.equals(folder.resolve(LOCK_FILE))) {
                    Files.deleteIfExists(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
                    throws IOException {
                if (failure != null) {
                    throw failure;
                }
                if (all || !directory.equals(folder)) {
                    Files.deleteIfExists(directory);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /// Lets the owner do everything in a folder, where the file system has such rights.
    private static void makeAccessible(Path directory) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(directory, PosixFileAttributeView.class);
        if (view != null) {
            view.setPermissions(PosixFilePermissions.fromString("rwx------"));
        }
    }
}
