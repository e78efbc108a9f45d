package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/// A folder for temporary files; closing removes it. A folder left by a killed process is removed by the next process
/// that creates one in the same place.
public final class ScratchFolder implements Closeable {
    private final Path folder;
    private final FileChannel lock;

    private ScratchFolder(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /// @param parent a directory
    /// @param prefix the beginning of the folder's name
    public static ScratchFolder in(Path parent, String prefix) throws IOException {
        Path absolute = parent.toAbsolutePath();
        Optional<ScratchFolder> made = Optional.empty();
        while (made.isEmpty()) {
            made = make(absolute.resolve(
                    "%s%016x".formatted(prefix, ThreadLocalRandom.current().nextLong())));
        }
        Leftovers.removeFoldersBeside(made.get().folder, Pattern.compile(Pattern.quote(prefix) + "[0-9a-f]{16}"));
        return made.get();
    }

    /// @return empty if another process removed it as a leftover before it was locked
    private static Optional<ScratchFolder> make(Path folder) throws IOException {
        Leftovers.keep(folder);
        boolean kept = false;
        try {
            Files.createDirectory(folder);
            Path file = folder.resolve(LockedFolder.LOCK_FILE);
            FileChannel lock = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                kept = Leftovers.lock(lock) && Files.exists(file, LinkOption.NOFOLLOW_LINKS);
                return kept ? Optional.of(new ScratchFolder(folder, lock)) : Optional.empty();
            } finally {
                if (!kept) {
                    lock.close();
                }
            }
        } catch (NoSuchFileException e) {
            if (Files.exists(folder.getParent())) {
                return Optional.empty();
            }
            throw e;
        } finally {
            if (!kept) {
                LockedFolder.remove(folder);
                Leftovers.forget(folder);
            }
        }
    }

    /// The directory for files; it exists.
    public Path path() throws IOException {
        return Files.createDirectories(folder.resolve("files"));
    }

    @Override
    public void close() throws IOException {
        try {
            LockedFolder.clear(folder);
            LockedFolder.remove(folder);
        } finally {
            lock.close();
            Leftovers.forget(folder);
        }
    }
}
