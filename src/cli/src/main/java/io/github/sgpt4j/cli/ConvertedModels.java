package io.github.sgpt4j.cli;

import io.github.sgpt4j.weightstools.ConvertOptions;
import io.github.sgpt4j.weightstools.Converter;
import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Checkpoints that have only pickled weights, converted once into a cache.
///
/// A checkpoint is known by its path and by the names, sizes and times of its files, so a changed one is converted
/// again; its older conversion is removed. A lock makes a second process wait for the first.
///
/// @param console hears about a conversion
/// @param quiet whether to say nothing
/// @param cache folder for all conversions, made when needed
record ConvertedModels(Console console, boolean quiet, Path cache) {
    private static final int KEY_DIGITS = 16;

    /// Looks as deep as module folders.
    private static final int DEPTH = 2;

    /// A directory that the engine can read: the given one if it has safetensors, or nothing to convert.
    ///
    /// @throws IOException if the cache cannot be written
    Path readable(Path directory) throws IOException {
        if (!Converter.isNeeded(directory)) {
            return directory;
        }
        Path real = directory.toRealPath();
        Path entry = cache.resolve(digest(real.toString()));
        Path result = entry.resolve(digest(state(real))).resolve(name(real));
        if (Files.isDirectory(result)) {
            return result;
        }
        Files.createDirectories(entry);
        Path lockFile = entry.resolve(LockedFolder.LOCK_FILE);
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel, real)) {
            if (lock.isValid() && !Files.isDirectory(result)) {
                LockedFolder.clear(entry);
                convert(real, result);
            }
        }
        return result;
    }

    private FileLock lock(FileChannel channel, Path directory) throws IOException {
        FileLock lock = channel.tryLock();
        if (lock != null) {
            return lock;
        }
        say("waiting for another process that converts " + directory);
        return channel.lock();
    }

    private void convert(Path directory, Path result) throws IOException {
        say("%s has pickled weights only: converting them once, to %s".formatted(directory, result));
        Path parent = result.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try (MegabyteProgress progress = new MegabyteProgress(console, quiet, "Converting")) {
            Converter.convert(directory, result, ConvertOptions.DEFAULT, progress::to);
        }
    }

    private void say(String line) {
        if (!quiet) {
            console.say(line);
        }
    }

    /// The model's name is kept, since it may say how the model is used ("specb").
    private static String name(Path directory) {
        Path parent = directory.getParent();
        Path repository = parent == null || !parent.endsWith("snapshots") ? null : parent.getParent();
        Path name = (repository == null ? directory : repository).getFileName();
        return name == null ? "model" : name.toString();
    }

    /// Names, sizes and times of all files.
    private static String state(Path directory) throws IOException {
        StringBuilder state = new StringBuilder();
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory, DEPTH)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            state.append(directory.relativize(file))
                    .append('\0')
                    .append(Files.size(file))
                    .append('\0')
                    .append(Files.getLastModifiedTime(file).toMillis())
                    .append('\0');
        }
        return state.toString();
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
