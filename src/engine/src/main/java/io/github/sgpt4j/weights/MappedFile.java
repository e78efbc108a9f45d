package io.github.sgpt4j.weights;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A regular file in mapped memory, which must not change while it is in use. If a path is not a
/// regular file, an error says so in one sentence.
///
/// Writes by other processes are visible through the mapping immediately, and reading beyond the end of
/// a truncated file is a fault. [MappedFiles] says how readers handle both. A file that is deleted, or
/// replaced by renaming another over it, stays mapped with its old contents.
public final class MappedFile {
    /// The lock that [#settle] asks about; nobody holds it.
    private static final Object NO_LOCK = new Object();

    private final Path path;
    private final MemorySegment bytes;
    private final State opened;
    private volatile @Nullable String problem;

    private MappedFile(Path path, MemorySegment bytes, State opened) {
        this.path = path;
        this.bytes = bytes;
        this.opened = opened;
    }

    /// Attributes that change when a file is modified.
    ///
    /// @param key identifies the file; null if the system has no such key
    private record State(
            long size, FileTime modified, @Nullable Object key) {
        static State of(Path file) throws IOException {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new State(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
        }

        boolean isOfSameFile(State other) {
            return Objects.equals(key, other.key);
        }

        @Override
        public String toString() {
            return "%d bytes, modified %s".formatted(size, modified);
        }
    }

    /// Maps the whole file for reading; nothing is read yet. The mapping lives as long as `arena`.
    ///
    /// @param kind what the file should be, for messages, such as `a safetensors file`
    /// @throws FormatException if the file is missing, empty, not a regular file, cannot be read, or
    ///     changes
    public static MappedFile map(Path file, String kind, Arena arena) {
        requireRegular(file, kind);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            State before = State.of(file);
            long size = channel.size();
            if (size == 0) {
                throw new FormatException("%s: expected %s, got an empty file".formatted(file, kind));
            }
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            State after = State.of(file);
            // Otherwise the state may not be that of the mapped file.
            if (!after.equals(before) || after.size() != size) {
                throw new FormatException(
                        "%s: expected %s that does not change, got one that changed while it was opened"
                                .formatted(file, kind));
            }
            return new MappedFile(file, bytes, after);
        } catch (IOException e) {
            throw Unreadable.of(file, e);
        }
    }

    /// Throws a pending fault of this thread: the virtual machine reports a fault in mapped memory
    /// (`InternalError`) not where it happens but at the thread's next safepoint, which may be after
    /// the reading code has returned. Code that has read mapped memory calls this before it uses the
    /// data or hands it to another thread.
    ///
    /// Faults are only reported in this way if memory is read through segments, by single elements or
    /// by [MemorySegment#copy]. In loads of the Vector API and in native code, a fault ends the
    /// process.
    static void settle() {
        // Returning from a native method is a safepoint; this one costs almost nothing.
        Thread.holdsLock(NO_LOCK);
    }

    /// The path as given to [#map].
    public Path path() {
        return path;
    }

    /// The whole file, read-only.
    public MemorySegment bytes() {
        return bytes;
    }

    /// Throws if the file's size or modification time shows that it was modified since it was mapped.
    /// Once it has thrown, it always throws, since results may be made of a mixture of contents.
    ///
    /// A file that is no longer at its path was deleted, renamed or replaced, which is not a
    /// modification.
    ///
    /// @throws FormatException if it has changed
    void requireUnchanged() {
        if (problem == null) {
            change().ifPresent(this::refuse);
        }
        requireUsable();
    }

    /// Throws unless the unmodified file is still at its path. So code that has opened that path has
    /// opened this file.
    ///
    /// @throws FormatException if it has changed or is no longer at its path
    public void requireInPlace() {
        requireUnchanged();
        try {
            if (State.of(path).equals(opened)) {
                return;
            }
        } catch (IOException e) {
            throw Unreadable.of(path, e);
        }
        throw new FormatException(
                "%s: expected the mapped file, got another one: it was replaced meanwhile".formatted(path));
    }

    /// Throws if [#requireUnchanged] has thrown before; does not check the file again.
    void requireUsable() {
        String known = problem;
        if (known != null) {
            throw new FormatException(known);
        }
    }

    private Optional<String> change() {
        State now;
        try {
            now = State.of(path);
        } catch (IOException e) {
            return Optional.empty();
        }
        return now.equals(opened) || !now.isOfSameFile(opened)
                ? Optional.empty()
                : Optional.of(
                        "%s: expected the file as it was opened (%s), got %s: it was changed while in use; open it again, and replace such files by renaming"
                                .formatted(path, opened, now));
    }

    /// Makes [#requireUnchanged] throw from now on; the first reason is kept.
    synchronized void refuse(String reason) {
        if (problem == null) {
            problem = reason;
        }
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
