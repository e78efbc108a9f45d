package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;

/// Where a merged index is made before it appears at its place as a whole: `.NAME.sgpt-merge` beside it,
/// locked while in use. What a dead run left there is removed by the next one, or when the virtual machine
/// exits.
final class MergeFolder implements AutoCloseable {
    private static final String SUFFIX = ".sgpt-merge";
    private static final String LOCK_FILE = "lock";
    private static final int ATTEMPTS = 5;

    private final Path target;
    private final Path folder;
    private final FileChannel lock;
    private final Thread cleaner = new Thread(this::removeQuietly, "sgpt4j-merge-cleaner");
    private boolean removed;

    private MergeFolder(Path target, Path folder, FileChannel lock) {
        this.target = target;
        this.folder = folder;
        this.lock = lock;
    }

    /// @param target empty or absent
    /// @throws IndexInUseException if another merge to this place is running
    /// @throws FormatException if there is something at the target
    static MergeFolder open(Path target) throws IOException {
        Path place = place(target);
        requireReplaceable(target, place);
        Path folder = place.resolveSibling("." + place.getFileName() + SUFFIX);
        for (int i = 0; i < ATTEMPTS; i++) {
            Files.createDirectories(folder);
            @Nullable FileChannel lock = lock(target, folder.resolve(LOCK_FILE));
            if (lock != null) {
                return begin(new MergeFolder(place, folder, lock));
            }
        }
        throw new IndexInUseException(target, new OverlappingFileLockException());
    }

    private static MergeFolder begin(MergeFolder work) throws IOException {
        try {
            FileEntries.clear(work.folder, LOCK_FILE);
            Runtime.getRuntime().addShutdownHook(work.cleaner);
            return work;
        } catch (IOException | RuntimeException | Error e) {
            work.lock.close();
            throw e;
        }
    }

    /// Where a path leads, links followed: renaming would replace a link.
    ///
    /// @return absolute; it or its last names may not exist
    static Path place(Path path) throws IOException {
        // Not normalized before: what ".." after a link means, the file system says.
        Path absolute = path.toAbsolutePath();
        @Nullable Path existing = absolute;
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        if (existing == null) {
            return absolute.normalize();
        }
        Path real = existing.toRealPath();
        int names = existing.getNameCount();
        return names == absolute.getNameCount()
                ? real
                : real.resolve(absolute.subpath(names, absolute.getNameCount())).normalize();
    }

    private static void requireReplaceable(Path target, Path place) throws IOException {
        @Nullable Path parent = place.getParent();
        if (parent == null) {
            throw notEmpty(target, "the root directory");
        }
        if (!Files.exists(place)) {
            return;
        }
        if (!Files.isDirectory(place)) {
            throw new FormatException(target + ": expected a directory for an index, got a file");
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(place)) {
            Iterator<Path> found = entries.iterator();
            if (found.hasNext()) {
                throw notEmpty(target, String.valueOf(found.next().getFileName()));
            }
        }
        if (!Files.getFileStore(place).equals(Files.getFileStore(parent))) {
            throw new FormatException(
                    "%s: expected an ordinary directory or none, got one where a file system is mounted; name a directory in it"
                            .formatted(target));
        }
    }

    private static FormatException notEmpty(Path target, String found) {
        return new FormatException("%s: expected an empty directory or none, found %s".formatted(target, found));
    }

    /// @return null if the folder's last owner removed it in the meantime
    private static @Nullable FileChannel lock(Path target, Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean kept = false;
        try {
            if (channel.tryLock() == null) {
                throw new IndexInUseException(target, new OverlappingFileLockException());
            }
            kept = Files.exists(file);
            return kept ? channel : null;
        } catch (OverlappingFileLockException e) {
            throw new IndexInUseException(target, e);
        } finally {
            if (!kept) {
                channel.close();
            }
        }
    }

    /// Where to make the index; absent.
    Path content() {
        return folder.resolve("index");
    }

    /// Moves the closed index to its place.
    ///
    /// @throws FormatException if something has appeared there meanwhile
    synchronized void publish() throws IOException {
        if (removed) {
            throw new IOException(target + ": the virtual machine is exiting");
        }
        try {
            Files.deleteIfExists(target);
        } catch (DirectoryNotEmptyException e) {
            throw new FormatException(
                    target + ": expected an empty directory or none, found files that appeared meanwhile", e);
        }
        Files.move(content(), target, StandardCopyOption.ATOMIC_MOVE);
        @Nullable Path parent = target.getParent();
        if (parent != null) {
            // The new name is on disk, not only the files.
            IOUtils.fsync(parent, true);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            remove();
        } finally {
            lock.close();
            try {
                Runtime.getRuntime().removeShutdownHook(cleaner);
            } catch (IllegalStateException e) {
                // The virtual machine is exiting: the cleaner runs, and finds nothing to do.
                return;
            }
        }
    }

    private synchronized void remove() throws IOException {
        removed = true;
        FileEntries.remove(folder);
    }

    private void removeQuietly() {
        try {
            remove();
        } catch (IOException e) {
            // The next merge to this place tries again.
            return;
        }
    }
}
