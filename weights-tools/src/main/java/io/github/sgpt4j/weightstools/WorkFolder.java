package io.github.sgpt4j.weightstools;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where a result is made before it appears: a hidden folder on the target's file system, locked while in use. What an
/// interrupted run left in it is removed by the next one, and on exit of the virtual machine.
///
/// Files that go to a folder which is there appear one by one. Their names are in the locked file before the first one
/// does, so that the next run knows those of an interrupted one from files that somebody else put there.
final class WorkFolder implements AutoCloseable {
    private static final String SUFFIX = ".sgpt-convert";
    private static final int ATTEMPTS = 5;
    private static final int MAX_NAMES_BYTES = 1 << 24;

    private final Path target;
    private final boolean merges;
    private final Path folder;
    private final FileChannel lock;
    private final Set<Path> left;
    private final Thread cleaner;
    private volatile boolean publishing;

    private WorkFolder(Path target, boolean merges, Path folder, FileChannel lock, Set<Path> left) {
        this.target = target;
        this.merges = merges;
        this.folder = folder;
        this.lock = lock;
        this.left = left;
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
                WorkFolder work = new WorkFolder(target, merges, folder, lock, names(lock));
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
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
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

    /// Whether something in the target, named relative to it, is this folder, or comes from an interrupted run.
    boolean isOwn(Path file) {
        return file.endsWith(SUFFIX) || left.stream().anyMatch(path -> path.startsWith(file));
    }

    /// For other temporary files.
    Path scratch() {
        return folder.resolve("scratch");
    }

    private static Set<Path> names(FileChannel lock) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(lock.size(), MAX_NAMES_BYTES));
        while (bytes.hasRemaining() && lock.read(bytes, bytes.position()) >= 0) {
            // Until all are read.
        }
        Set<Path> names = new HashSet<>();
        for (String line : new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8).split("\n")) {
            if (!line.isEmpty() && line.indexOf('\0') < 0) {
                names.add(Path.of(line));
            }
        }
        return names;
    }

    private void note(List<Path> files) throws IOException {
        StringBuilder text = new StringBuilder("\n");
        files.forEach(file -> text.append(file).append('\n'));
        ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
        long end = lock.size();
        while (bytes.hasRemaining()) {
            lock.write(bytes, end + bytes.position());
        }
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
        note(files);
        publishing = true;
        for (Path file : files) {
            Path to = target.resolve(file);
            Path parent = to.getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            Files.move(content().resolve(file), to, StandardCopyOption.ATOMIC_MOVE);
        }
        publishing = false;
    }

    @Override
    public void close() throws IOException {
        try {
            leave();
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

    /// Removes the folder, but for the names of files if not all of them have appeared.
    private void leave() throws IOException {
        if (publishing) {
            LockedFolder.clear(folder);
        } else {
            LockedFolder.remove(folder);
        }
    }

    private void clearQuietly() {
        try {
            leave();
        } catch (IOException e) {
            // The next conversion to this place tries again.
            return;
        }
    }
}
