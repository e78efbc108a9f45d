package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.cli.console.Failures;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/// A file in progress: created beside its target as `.NAME.xxxxxxxx.tmp` and renamed by [#publish]. Closing it
/// unpublished removes it, and so does the end of the process. A file left by a killed process is removed by the next
/// process that writes to the same target; a file that is still being written is locked.
public final class WorkFile implements Closeable {
    private final Path target;
    private final Path path;
    private final FileChannel channel;
    private final Thread removal;

    private WorkFile(Path target, Path path, FileChannel channel) {
        this.target = target;
        this.path = path;
        this.channel = channel;
        removal = new Thread(this::remove);
        Runtime.getRuntime().addShutdownHook(removal);
    }

    /// @param target absolute
    /// @throws FileSystemException if no file can be created there
    public static WorkFile beside(Path target) throws IOException {
        Optional<WorkFile> work = Optional.empty();
        while (work.isEmpty()) {
            work = create(target);
        }
        Leftovers.removeFilesBeside(work.get().path, names(target));
        return work.get();
    }

    private static Pattern names(Path target) {
        return Pattern.compile(Pattern.quote("." + target.getFileName() + ".") + "[0-9a-f]{8}\\.tmp");
    }

    /// @return empty if another process removed the file as a leftover before it was locked
    private static Optional<WorkFile> create(Path target) throws IOException {
        Path path = target.resolveSibling(".%s.%08x.tmp"
                .formatted(target.getFileName(), ThreadLocalRandom.current().nextInt()));
        Leftovers.keep(path);
        boolean kept = false;
        try {
            // Not createTempFile: the result should have the permissions of any new file of this user.
            FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                kept = Leftovers.lock(channel) && Files.exists(path, LinkOption.NOFOLLOW_LINKS);
                return kept ? Optional.of(new WorkFile(target, path, channel)) : Optional.empty();
            } finally {
                if (!kept) {
                    channel.close();
                    Files.deleteIfExists(path);
                }
            }
        } finally {
            if (!kept) {
                Leftovers.forget(path);
            }
        }
    }

    /// Where [#publish] moves the file.
    Path target() {
        return target;
    }

    /// The channel for writing and for changing what was written.
    public FileChannel channel() {
        return channel;
    }

    /// Moves the completely written file to its target, where it is intact even if the machine stops now.
    public void publish() throws IOException {
        try {
            channel.force(false);
            // Still locked, so that no process takes it for a leftover.
            Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            throw new IOException("%s: %s".formatted(target, Failures.reason(e)), e);
        } catch (IOException e) {
            throw new IOException("%s: %s".formatted(target, e.getMessage()), e);
        }
        close();
    }

    @Override
    public void close() throws IOException {
        try {
            remove();
            channel.close();
        } finally {
            Leftovers.forget(path);
            forgetRemoval();
        }
    }

    private void remove() {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // Nothing more can be done; the next run tries again.
        }
    }

    private void forgetRemoval() {
        try {
            Runtime.getRuntime().removeShutdownHook(removal);
        } catch (IllegalStateException e) {
            // The process is ending, and the hook is already running.
        }
    }
}
