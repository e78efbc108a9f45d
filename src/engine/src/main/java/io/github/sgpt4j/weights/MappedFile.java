package io.github.sgpt4j.weights;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Maps regular files, and says in one sentence why a path is not one.
public final class MappedFile {
    private MappedFile() {}

    /// Maps the whole file for reading; nothing is read yet. The segment lives as long as `arena`.
    ///
    /// @param kind what the file should be, for messages, such as `a safetensors file`
    /// @throws FormatException if the file is missing, empty, not a regular file, or cannot be read
    public static MemorySegment map(Path file, String kind, Arena arena) {
        requireRegular(file, kind);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size == 0) {
                throw new FormatException("%s: expected %s, got an empty file".formatted(file, kind));
            }
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    /// Whether there is an entry of this name, be it a link to nowhere.
    public static boolean present(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }

    public static void requireRegular(Path file, String kind) {
        if (Files.isRegularFile(file)) {
            return;
        }
        requireTarget(file, kind);
        String got = Files.isDirectory(file) ? "a directory" : "something that is not a regular file";
        throw new FormatException("%s: expected %s, got %s".formatted(file, kind, got));
    }

    public static void requireDirectory(Path directory, String kind) {
        if (Files.isDirectory(directory)) {
            return;
        }
        requireTarget(directory, kind);
        throw new FormatException("%s: expected %s, got a file".formatted(directory, kind));
    }

    private static void requireTarget(Path path, String kind) {
        if (Files.exists(path)) {
            return;
        }
        if (!Files.isSymbolicLink(path)) {
            throw new FormatException("%s: expected %s, found nothing there".formatted(path, kind));
        }
        throw new FormatException(
                "%s: expected %s, got a symbolic link to %s, which is missing".formatted(path, kind, target(path)));
    }

    private static String target(Path link) {
        try {
            return Quoted.of(Files.readSymbolicLink(link).toString());
        } catch (IOException e) {
            return "an unreadable place";
        }
    }
}
