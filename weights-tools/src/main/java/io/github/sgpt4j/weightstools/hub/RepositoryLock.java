package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;

/// Lets one thread of one process at a time download a model; the others wait.
final class RepositoryLock implements AutoCloseable {
    /// A file lock belongs to the whole process, so threads need locks of their own.
    private static final ConcurrentMap<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

    private final ReentrantLock own;
    private final FileChannel channel;

    private RepositoryLock(ReentrantLock own, FileChannel channel) {
        this.own = own;
        this.channel = channel;
    }

    /// @param waiting run before waiting, if that is necessary
    static RepositoryLock take(Path file, Runnable waiting) throws IOException {
        Path absolute = file.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        ReentrantLock own = LOCKS.computeIfAbsent(absolute, path -> new ReentrantLock());
        boolean waits = !own.tryLock();
        if (waits) {
            waiting.run();
            try {
                own.lockInterruptibly();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw Retries.interrupted(e);
            }
        }
        boolean taken = false;
        try {
            FileChannel channel = FileChannel.open(absolute, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                lock(channel, waits ? () -> {} : waiting);
                taken = true;
                return new RepositoryLock(own, channel);
            } finally {
                if (!taken) {
                    channel.close();
                }
            }
        } finally {
            if (!taken) {
                own.unlock();
            }
        }
    }

    /// The lock is held until the channel is closed.
    private static FileLock lock(FileChannel channel, Runnable waiting) throws IOException {
        FileLock lock = channel.tryLock();
        if (lock != null) {
            return lock;
        }
        waiting.run();
        try {
            return channel.lock();
        } catch (FileLockInterruptionException e) {
            Thread.currentThread().interrupt();
            throw Retries.interrupted(e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            own.unlock();
        }
    }
}
