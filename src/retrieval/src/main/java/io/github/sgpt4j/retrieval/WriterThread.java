package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;

/// Lucene's writer of an index and the one thread that calls it.
///
/// Lucene writes files and holds its lock through channels of the JDK. An interrupt of a thread that is
/// using a channel closes it, for every other thread as well, and so ends the writer. Nobody interrupts
/// this thread: callers wait for it until their work is done, and an interrupt of theirs stays pending.
final class WriterThread implements AutoCloseable {
    /// Something done with the writer.
    @FunctionalInterface
    interface Writing<T> {
        T with(IndexWriter writer) throws IOException;
    }

    private final Path path;
    private final ExecutorService thread;
    private final IndexWriter writer;

    private WriterThread(Path path, ExecutorService thread, IndexWriter writer) {
        this.path = path;
        this.thread = thread;
        this.writer = writer;
    }

    /// Opens the one writer of an index.
    ///
    /// @throws IndexInUseException if there is another
    static WriterThread open(Path path, Directory directory, IndexWriterConfig config) throws IOException {
        ExecutorService thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("sgpt4j-index").factory());
        try {
            return new WriterThread(
                    path, thread, await(thread.submit(() -> IndexFiles.writer(path, directory, config))));
        } catch (IOException | RuntimeException | Error e) {
            thread.shutdown();
            throw e;
        }
    }

    /// Does something with the writer, to its end.
    <T> T call(Writing<T> writing) throws IOException {
        return await(thread.submit(() -> IndexFiles.checked(path, () -> writing.with(writer))));
    }

    /// Does something else in the same thread.
    void run(IndexFiles.Reading<?> reading) throws IOException {
        await(thread.submit(reading::read));
    }

    /// Does something to its end in a thread of its own, which nobody interrupts either.
    static <T> T aside(IndexFiles.Reading<T> reading) throws IOException {
        FutureTask<T> work = new FutureTask<>(reading::read);
        Thread.ofPlatform().daemon().name("sgpt4j-index-open").start(work);
        return await(work);
    }

    private static <T> T await(Future<T> work) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return work.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case Throwable cause -> throw new IllegalStateException(cause);
                case null -> throw new IllegalStateException(e);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Forgets everything since the last commit, and closes.
    void rollback() throws IOException {
        try {
            call(w -> {
                w.rollback();
                return w;
            });
        } finally {
            thread.shutdown();
        }
    }

    /// Commits, and closes.
    ///
    /// @throws IOException also if the writer had failed before, and what was added since the last commit
    ///     is lost
    @Override
    public void close() throws IOException {
        if (thread.isShutdown()) {
            return;
        }
        try {
            call(w -> {
                w.close();
                return w;
            });
        } finally {
            thread.shutdown();
        }
        Throwable failure = writer.getTragicException();
        if (failure != null) {
            throw new IOException(
                    "%s: documents added since the last commit are lost: %s".formatted(path, failure), failure);
        }
    }
}
