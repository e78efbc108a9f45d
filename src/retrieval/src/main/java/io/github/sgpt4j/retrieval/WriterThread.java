package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.interrupts.SteadyThread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;

/// Lucene's index writer and the only thread that calls it, which nobody interrupts: Lucene writes
/// files and holds its lock through channels, which an interrupt would close, and that would end the
/// writer.
final class WriterThread implements AutoCloseable {
    /// Something done with the writer.
    @FunctionalInterface
    interface Writing<T> {
        T with(IndexWriter writer) throws IOException;
    }

    private final Path path;
    private final SteadyThread thread;
    private final IndexWriter writer;

    /// Why something added is not on disk; known when the writer is closed.
    private Optional<Throwable> loss = Optional.empty();

    private WriterThread(Path path, SteadyThread thread, IndexWriter writer) {
        this.path = path;
        this.thread = thread;
        this.writer = writer;
    }

    /// Opens the only writer of an index.
    ///
    /// @throws IndexInUseException if there is another
    static WriterThread open(Path path, Directory directory, IndexWriterConfig config) throws IOException {
        SteadyThread thread = new SteadyThread("sgpt4j-index", IndexFiles.closed(path));
        try {
            return new WriterThread(path, thread, thread.call(() -> IndexFiles.writer(path, directory, config)));
        } catch (IOException | RuntimeException | Error e) {
            thread.close();
            throw e;
        }
    }

    /// Runs something with the writer, to its end.
    ///
    /// @throws IOException also if an earlier failure ended the writer
    <T> T call(Writing<T> writing) throws IOException {
        try {
            return thread.call(() -> IndexFiles.checked(path, () -> writing.with(writer)));
        } catch (IllegalStateException e) {
            // AlreadyClosedException, or another one where a merge notices it.
            Throwable failure = writer.getTragicException();
            if (failure == null) {
                throw e;
            }
            throw new IOException(
                    "%s: an earlier failure ended writing: %s; close the index and open it again"
                            .formatted(path, failure),
                    failure);
        }
    }

    /// Runs something else in the same thread.
    void run(IndexFiles.Reading<?> reading) throws IOException {
        thread.call(reading::read);
    }

    /// Runs something to its end in a thread of its own, which nobody interrupts either.
    static <T> T aside(IndexFiles.Reading<T> reading) throws IOException {
        return SteadyThread.once("sgpt4j-index-open", reading::read);
    }

    /// Discards everything since the last commit, and closes.
    void rollback() throws IOException {
        try {
            call(w -> {
                w.rollback();
                return w;
            });
        } finally {
            thread.close();
        }
    }

    /// Commits, and closes.
    ///
    /// @throws IOException also if the writer had failed before and what was added since the last
    ///     commit is lost; every call throws it again
    @Override
    public void close() throws IOException {
        if (!thread.isClosed()) {
            try {
                call(w -> {
                    w.close();
                    return w;
                });
                loss = Optional.ofNullable(writer.getTragicException());
            } catch (IOException | RuntimeException | Error e) {
                loss = Optional.of(e);
                free(e);
                throw e;
            } finally {
                thread.close();
            }
        }
        if (loss.isPresent()) {
            throw new IOException(
                    "%s: documents added since the last commit are lost: %s".formatted(path, loss.get()), loss.get());
        }
    }

    /// Closes a writer whose close failed, so that the lock is released and others can write the index.
    private void free(Throwable failure) {
        try {
            call(w -> {
                w.rollback();
                return w;
            });
        } catch (IOException | RuntimeException | Error e) {
            failure.addSuppressed(e);
        }
    }
}
