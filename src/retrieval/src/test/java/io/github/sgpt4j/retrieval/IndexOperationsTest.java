package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// An index is made, changed and closed, again and again. Each time something happens at the next
/// operation on its files: the waiting thread is interrupted, or the operation fails.
class IndexOperationsTest {
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");

    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    /// Operations so far.
    private final AtomicInteger operations = new AtomicInteger();

    /// Ids that add reported as added and that were not removed since.
    private final Set<String> added = new TreeSet<>();

    /// Those of them that commit reported as on disk.
    private final Set<String> committed = new TreeSet<>();

    private boolean interrupted;

    @BeforeAll
    static void openModel() throws IOException {
        encoder = BiEncoder.open(MODEL);
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    /// A step in the life of an index.
    @FunctionalInterface
    private interface Step {
        void take() throws IOException;
    }

    private SemanticIndex open(Path path, WatchedDirectory.Watcher watcher, BooleanSupplier syncs) throws IOException {
        operations.set(0);
        added.clear();
        committed.clear();
        interrupted = false;
        return SemanticIndex.open(
                path, encoder, Optional.empty(), directory -> new WatchedDirectory(directory, watcher, syncs));
    }

    private List<Step> steps(SemanticIndex index) {
        return List.of(
                () -> add(index, "a", "b"),
                () -> commit(index),
                () -> {
                    added.remove("b");
                    committed.remove("b");
                    index.remove(List.of("b"));
                },
                () -> add(index, "a", "c"),
                () -> commit(index),
                () -> add(index, "d"));
    }

    private void add(SemanticIndex index, String... ids) throws IOException {
        List<Document> documents = new ArrayList<>();
        float[][] vectors = new float[ids.length][encoder.dimension()];
        for (int i = 0; i < ids.length; i++) {
            documents.add(Document.of(ids[i], "text " + ids[i]));
            vectors[i][i] = 1;
        }
        index.add(documents, vectors);
        added.addAll(List.of(ids));
    }

    private void embed(SemanticIndex index, String id) throws IOException {
        try {
            index.add(List.of(Document.of(id, "text " + id)));
            added.add(id);
        } catch (CancelledException e) {
            assertTrue(Thread.currentThread().isInterrupted());
        }
    }

    private void commit(SemanticIndex index) throws IOException {
        index.commit();
        committed.clear();
        committed.addAll(added);
    }

    private void forgetInterrupt() {
        interrupted |= Thread.interrupted();
    }

    @Test
    void anInterruptAtAnyOperationLosesNothing() throws IOException {
        Thread caller = Thread.currentThread();
        int at = 0;
        do {
            int last = ++at;
            Path path = folder.resolve("index" + at);
            WatchedDirectory.Watcher watcher = () -> {
                if (operations.incrementAndGet() == last) {
                    caller.interrupt();
                }
            };
            try (SemanticIndex index = open(path, watcher, () -> operations.get() == last)) {
                forgetInterrupt();
                for (Step step : steps(index)) {
                    step.take();
                    forgetInterrupt();
                }
            }
            forgetInterrupt();
            assertEquals(added, IndexContents.ids(path), "interrupted at operation " + at);
        } while (interrupted);
        assertTrue(at > 50, at + " operations");
    }

    @Test
    void aThreadThatIsInterruptedAllTheTimeLosesNothing() throws IOException {
        Path path = folder.resolve("index");
        Thread.currentThread().interrupt();
        try (SemanticIndex index = open(path, operations::incrementAndGet, () -> true)) {
            for (Step step : steps(index)) {
                step.take();
                assertTrue(Thread.currentThread().isInterrupted());
            }
            embed(index, "e");
            index.optimize();
        }
        assertTrue(Thread.interrupted());
        assertEquals(Set.of("a", "c", "d"), IndexContents.ids(path));
    }

    /// The disk is full for a moment, or for good; memory runs out; or there is a bug in the library.
    ///
    /// @param stride 1 for every operation
    @ParameterizedTest
    @CsvSource({"failure, 1", "failures, 3", "error, 3", "assertion, 2"})
    void closingTellsOfALossWhereverAnOperationFails(String kind, int stride) throws IOException {
        Supplier<Throwable> failure = switch (kind) {
            case "error" -> () -> new OutOfMemoryError("made up");
            case "assertion" -> () -> new AssertionError("made up");
            default -> () -> new IOException("No space left on device (made up)");
        };
        int losses = 0;
        int at = 1 - stride;
        do {
            at += stride;
            int last = at;
            Path path = folder.resolve(kind + at);
            WatchedDirectory.Watcher watcher = () -> {
                int now = operations.incrementAndGet();
                if (now == last || now > last && kind.equals("failures")) {
                    throwIt(failure.get());
                }
            };
            losses += lives(path, watcher) ? 0 : 1;
        } while (operations.get() >= at);
        assertTrue(at > 50, at + " operations");
        assertTrue(losses > 5, losses + " losses");
    }

    /// Lucene does not close a writer whose commit was begun and not finished, which happens when an
    /// Error ends one of its own threads.
    @Test
    void aWriterThatCannotBeClosedTellsOfTheLossAndLeavesNoLockBehind() throws IOException {
        try (Analyzer analyzer = Words.analyzer();
                Directory directory = new MMapDirectory(folder)) {
            WriterThread writer = WriterThread.open(folder, directory, new IndexWriterConfig(analyzer));
            writer.call(IndexWriter::prepareCommit);
            assertThrows(IllegalStateException.class, writer::close);
            assertThrows(IOException.class, writer::close);
            WriterThread.open(folder, directory, new IndexWriterConfig(analyzer))
                    .close();
        }
    }

    /// Lucene's merge threads print their failures, which need not fill the log.
    @BeforeEach
    void keepQuiet() {
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {});
    }

    @AfterEach
    void speakAgain() {
        Thread.setDefaultUncaughtExceptionHandler(null);
    }

    /// @return whether everything that was added is on disk
    private boolean lives(Path path, WatchedDirectory.Watcher watcher) throws IOException {
        SemanticIndex index;
        try {
            index = open(path, watcher, () -> false);
        } catch (IOException | RuntimeException | Error e) {
            SemanticIndex.open(path, encoder).close();
            return true;
        }
        for (Step step : steps(index)) {
            try {
                step.take();
            } catch (IOException | RuntimeException | Error e) {
                // The next steps are tried all the same.
            }
        }
        boolean closed = closes(index);
        assertEquals(closed, closes(index), "closed again");
        SemanticIndex.open(path, encoder).close();
        Set<String> found = IndexContents.ids(path);
        assertTrue(found.containsAll(committed), () -> committed + " committed, found " + found);
        if (closed) {
            assertTrue(found.containsAll(added), () -> added + " added, found " + found);
        }
        return found.containsAll(added);
    }

    private static boolean closes(SemanticIndex index) {
        try {
            index.close();
            return true;
        } catch (IOException | RuntimeException | Error e) {
            return false;
        }
    }

    private static void throwIt(Throwable failure) throws IOException {
        switch (failure) {
            case IOException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }
}
