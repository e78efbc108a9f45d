package io.github.sgpt4j.weightstools.store;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.weightstools.ConvertOptions;
import io.github.sgpt4j.weightstools.Converter;
import io.github.sgpt4j.weightstools.LockedFolder;
import io.github.sgpt4j.weightstools.ModelsListener;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// Checkpoints that have only pickled weights, converted once into a cache.
///
/// A checkpoint is identified by its path and by the names, stamps and content samples of its files, so
/// a changed checkpoint is converted again, and its older conversion is removed. A damaged conversion
/// is replaced too. A lock makes a second process or thread wait for the first.
///
/// @param listener reports conversions
/// @param cache folder for all conversions, created when needed
public record ConvertedModels(ModelsListener listener, Path cache) {
    /// A file lock belongs to the whole process, so threads need locks of their own.
    private static final ConcurrentMap<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

    private static final int KEY_DIGITS = 16;

    /// Search depth: as deep as module folders.
    private static final int DEPTH = 2;

    /// A directory that the engine can read: the given one if it has safetensors, or nothing to
    /// convert.
    ///
    /// @throws IOException if the cache cannot be written
    public Path readable(Path directory) throws IOException {
        if (!Converter.isNeeded(directory)) {
            return directory;
        }
        Path real = directory.toRealPath();
        String state = state(real);
        Path result = entry(real).resolve(digest(state)).resolve(name(real));
        if (isSound(result)) {
            return result;
        }
        make(real, state, result, false);
        return result;
    }

    /// Repeats a conversion if reading all of it shows damage.
    ///
    /// @param directory as given to [#readable]
    /// @return false if it is undamaged, or does not exist
    /// @throws IOException if the cache cannot be written
    public boolean repair(Path directory) throws IOException {
        if (!Converter.isNeeded(directory)) {
            return false;
        }
        Path real = directory.toRealPath();
        String state = state(real);
        return make(real, state, entry(real).resolve(digest(state)).resolve(name(real)), true);
    }

    private Path entry(Path real) {
        return cache.resolve(digest(real.toString()));
    }

    private static boolean isSound(Path result) {
        return ConversionRecord.exists(result)
                && ConversionRecord.damage(result, false).isEmpty();
    }

    /// Converts a checkpoint, unless another process has done so in the meantime.
    ///
    /// @param thorough whether to read an existing conversion completely
    /// @return whether a conversion was necessary
    private boolean make(Path real, String state, Path result, boolean thorough) throws IOException {
        ReentrantLock own = LOCKS.computeIfAbsent(entry(real), path -> new ReentrantLock());
        if (!own.tryLock()) {
            listener.notice("waiting for another thread that converts " + real);
            try {
                own.lockInterruptibly();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw cancelled(real, e);
            }
        }
        try {
            return makeAlone(real, state, result, thorough);
        } finally {
            own.unlock();
        }
    }

    private boolean makeAlone(Path real, String state, Path result, boolean thorough) throws IOException {
        Path entry = prepared(entry(real));
        Path lockFile = entry.resolve(LockedFolder.LOCK_FILE);
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel, real)) {
            Optional<String> damage =
                    ConversionRecord.exists(result) ? ConversionRecord.damage(result, thorough) : Optional.of("");
            if (!lock.isValid() || damage.isEmpty()) {
                return false;
            }
            LockedFolder.clear(entry);
            listener.notice(
                    damage.get().isEmpty()
                            ? "%s has pickled weights only: converting them once, to %s".formatted(real, result)
                            : "%s is damaged (%s): converting %s again".formatted(result, damage.get(), real));
            convert(real, result);
            if (!state(real).equals(state)) {
                LockedFolder.clear(entry);
                throw new IOException("%s: expected files that do not change, but they changed while being converted"
                        .formatted(real));
            }
            ConversionRecord.of(result).write(result);
            return true;
        }
    }

    /// A folder with a free place for the lock, whatever was there before.
    private static Path prepared(Path entry) throws IOException {
        if (Files.exists(entry, LinkOption.NOFOLLOW_LINKS)) {
            if (!Files.isDirectory(entry)) {
                Files.delete(entry);
            } else if (!Files.isReadable(entry) || !Files.isWritable(entry) || !Files.isExecutable(entry)) {
                LockedFolder.remove(entry);
            } else if (Files.isDirectory(entry.resolve(LockedFolder.LOCK_FILE))) {
                LockedFolder.remove(entry.resolve(LockedFolder.LOCK_FILE));
            }
        }
        return Files.createDirectories(entry);
    }

    private FileLock lock(FileChannel channel, Path directory) throws IOException {
        FileLock lock = channel.tryLock();
        if (lock != null) {
            return lock;
        }
        listener.notice("waiting for another process that converts " + directory);
        try {
            return channel.lock();
        } catch (FileLockInterruptionException e) {
            Thread.currentThread().interrupt();
            throw cancelled(directory, e);
        }
    }

    private static CancelledException cancelled(Path directory, Exception cause) {
        CancelledException cancelled = new CancelledException(
                "%s: waiting for its conversion was cancelled: the calling thread was interrupted"
                        .formatted(directory));
        cancelled.initCause(cause);
        return cancelled;
    }

    private void convert(Path directory, Path result) throws IOException {
        Path parent = result.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Converter.convert(directory, result, ConvertOptions.DEFAULT, listener::converting);
        } finally {
            listener.finished();
        }
    }

    /// The model's name is kept, since it may say how the model is used ("specb").
    private static String name(Path directory) {
        Path parent = directory.getParent();
        Path repository = parent == null || !parent.endsWith("snapshots") ? null : parent.getParent();
        Path name = (repository == null ? directory : repository).getFileName();
        return name == null ? "model" : name.toString();
    }

    /// Names, stamps and samples of all files.
    private static String state(Path directory) throws IOException {
        StringBuilder state = new StringBuilder();
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory, DEPTH)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            state.append(directory.relativize(file))
                    .append('\0')
                    .append(FileStamp.of(file))
                    .append('\0')
                    .append(sample(file))
                    .append('\0');
        }
        return state.toString();
    }

    /// Whether an unreadable file is needed is left to the converter.
    private static String sample(Path file) {
        try {
            return FileSample.of(file);
        } catch (IOException e) {
            return "unreadable";
        }
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash).substring(0, KEY_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
