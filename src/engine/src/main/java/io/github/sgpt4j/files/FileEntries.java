package io.github.sgpt4j.files;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/// Entries of folders: files, links and folders. Links are never followed.
public final class FileEntries {
    private FileEntries() {}

    /// Whether a path exists, even as a dangling link.
    public static boolean exists(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }

    /// Removes a file, a link, or a folder with its contents, if it exists. Entries that another process
    /// removes at the same time are no failure. Folders that the owner must not change are made accessible
    /// first.
    ///
    /// @throws IOException if something cannot be removed
    public static void remove(Path path) throws IOException {
        if (exists(path)) {
            Files.walkFileTree(path, new Removal(path, null, false));
        }
    }

    /// Removes the contents of a folder, except one file directly in it.
    ///
    /// @throws IOException if something cannot be removed
    public static void clear(Path folder, String kept) throws IOException {
        Files.walkFileTree(folder, new Removal(folder, folder.resolve(kept), false));
    }

    private static final class Removal extends SimpleFileVisitor<Path> {
        private final Path root;
        private final @Nullable Path kept;
        private final boolean opened;

        /// @param kept neither this file nor the root is removed; null to remove everything
        /// @param opened whether the root has been made accessible
        Removal(Path root, @Nullable Path kept, boolean opened) {
            this.root = root;
            this.kept = kept;
            this.opened = opened;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) throws IOException {
            if (!Files.isWritable(directory)) {
                makeAccessible(directory);
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
            if (failure instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
            }
            boolean isRoot = file.equals(root);
            if (opened && isRoot || !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
                throw failure;
            }
            makeAccessible(file);
            Files.walkFileTree(file, new Removal(file, isRoot ? kept : null, true));
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            if (!file.equals(kept)) {
                Files.deleteIfExists(file);
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure) throws IOException {
            if (failure != null) {
                throw failure;
            }
            if (kept == null || !directory.equals(root)) {
                Files.deleteIfExists(directory);
            }
            return FileVisitResult.CONTINUE;
        }

        /// Gives the owner all rights in a folder, where the file system has such rights.
        private static void makeAccessible(Path directory) throws IOException {
            PosixFileAttributeView view = Files.getFileAttributeView(directory, PosixFileAttributeView.class);
            if (view != null) {
                view.setPermissions(PosixFilePermissions.fromString("rwx------"));
            }
        }
    }
}
