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

/// Where a result is made before it is published: a hidden folder on the target's file system, locked
/// while in use. Leftovers of an interrupted run are removed by the next run, or when the virtual
/// machine exits.
///
/// Files moved to an existing folder appear one by one. Their names are written to the locked file
/// before the first one is moved, so that the next run can tell the files of an interrupted run from
/// other files there.
final class WorkFolder implements AutoCloseable {
    private static final String SUFFIX = ".sgpt-convert";
    private static final int ATTEMPTS = 5;
    private static final int MAX_NAMES_BYTES = 1 << 24;

    private final Path target;
    private final boolean merges;
    private final Path folder;
    private final FileChannel lock;
    private final Set<Path> leftovers;
    private final Thread cleaner;
    private volatile boolean publishing;

    private WorkFolder(Path target, boolean merges, Path folder, FileChannel lock, Set<Path> leftovers) {
        this.target = target;
        this.merges = merges;
        this.folder = folder;
        this.lock = lock;
        this.leftovers = leftovers;
        this.cleaner = new Thread(this::clearQuietly, "sgpt4j-convert-cleaner");
    }

    /// @param target a folder to create, or an existing one to add files to
    /// @throws IOException if another conversion is working there, or the folder cannot be created
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

    /// @return null if the folder's last owner removed it in the meantime
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

    /// What the target will contain.
    Path content() {
        return folder.resolve("content");
    }

    /// Whether an entry of the target, given relative to it, is this folder, or comes from an
    /// interrupted run.
    boolean isOwn(Path file) {
        return file.endsWith(SUFFIX) || leftovers.stream().anyMatch(path -> path.startsWith(file));
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

    /// Whether the target existed before.
    boolean merges() {
        return merges;
    }

    /// Moves the content to the target. If that is an existing folder, file by file, with those in
    /// `last` at the end.
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
            cleanUp();
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

    /// Removes the folder, except the names of files if not all of them have been moved.
    private void cleanUp() throws IOException {
        if (publishing) {
            LockedFolder.clear(folder);
        } else {
            LockedFolder.remove(folder);
        }
    }

    private void clearQuietly() {
        try {
            cleanUp();
        } catch (IOException e) {
            // The next conversion to this place tries again.
            return;
        }
    }
}
