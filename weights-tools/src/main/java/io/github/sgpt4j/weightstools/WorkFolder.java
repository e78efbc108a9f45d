package io.github.sgpt4j.weightstools;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where a result is made before it appears: a hidden folder on the target's file system, locked while in use. What an
/// interrupted run left in it is removed by the next one, and on exit of the virtual machine.
final class WorkFolder implements AutoCloseable {
    private static final String SUFFIX = ".sgpt-convert";
    private static final int ATTEMPTS = 5;

    private final Path target;
    private final boolean merges;
    private final Path folder;
    private final FileChannel lock;
    private final Thread cleaner;

    private WorkFolder(Path target, boolean merges, Path folder, FileChannel lock) {
        this.target = target;
        this.merges = merges;
        this.folder = folder;
        this.lock = lock;
        this.cleaner = new Thread(this::clearQuietly, "sgpt4j-convert-cleaner");
    }

    /// @param target a folder to be made, or one that is there and gets more files
    /// @throws IOException if another conversion works there, or the folder cannot be made
    static WorkFolder open(Path target) throws IOException {
        boolean merges = Files.isDirectory(target);
        Path parent = target.toAbsolutePath().normalize().getParent();
        Path name = target.toAbsolutePath().normalize().getFileName();
        Path folder =
                merges || parent == null || name == null ? target.resolve(SUFFIX) : parent.resolve("." + name + SUFFIX);
        for (int i = 0; i < ATTEMPTS; i++) {
            Files.createDirectories(folder);
            FileChannel lock = lock(folder);
            if (lock != null) {
                WorkFolder work = new WorkFolder(target, merges, folder, lock);
                LockedFolder.clear(folder);
                Files.createDirectories(work.content());
                Files.createDirectories(work.scratch());
                Runtime.getRuntime().addShutdownHook(work.cleaner);
                return work;
            }
        }
        throw busy(folder);
    }

    private static FileSystemException busy(Path folder) {
        return new FileSystemException(folder.toString(), null, "another conversion to this place is running");
    }

    /// @return null if the folder's last owner removed it meanwhile
    private static @Nullable FileChannel lock(Path folder) throws IOException {
        Path file = folder.resolve(LockedFolder.LOCK_FILE);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean kept = false;
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw busy(folder);
            }
            kept = Files.exists(file);
            return kept ? channel : null;
        } catch (OverlappingFileLockException e) {
            FileSystemException busy = busy(folder);
            busy.initCause(e);
            throw busy;
        } finally {
            if (!kept) {
                channel.close();
            }
        }
    }

    /// What will be in the target.
    Path content() {
        return folder.resolve("content");
    }

    /// Whether a file of the target is this folder.
    boolean isIn(Path file) {
        return file.endsWith(SUFFIX);
    }

    /// For other temporary files.
    Path scratch() {
        return folder.resolve("scratch");
    }

    /// Whether the target was there before.
    boolean merges() {
        return merges;
    }

    /// Moves the content to the target. Into a folder that is there, file by file, those in `last` at the end.
    void publish(List<Path> last) throws IOException {
        if (!merges) {
            Files.move(content(), target, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        List<Path> files;
        try (Stream<Path> all = Files.walk(content())) {
            files = new ArrayList<>(all.filter(Files::isRegularFile)
                    .map(content()::relativize)
                    .sorted()
                    .toList());
        }
        files.removeAll(last);
        files.addAll(last);
        for (Path file : files) {
            Path to = target.resolve(file);
            Path parent = to.getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            Files.move(content().resolve(file), to, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            LockedFolder.remove(folder);
        } finally {
            lock.close();
            try {
                Runtime.getRuntime().removeShutdownHook(cleaner);
            } catch (IllegalStateException e) {
                // The virtual machine is exiting: the cleaner runs, and finds nothing.
                return;
            }
        }
    }

    private void clearQuietly() {
        try {
            LockedFolder.remove(folder);
        } catch (IOException e) {
            // The next conversion to this place tries again.
            return;
        }
    }
}
