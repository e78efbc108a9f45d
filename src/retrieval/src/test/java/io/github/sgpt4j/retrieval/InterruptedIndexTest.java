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
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Threads that write an index are interrupted, like threads of services with timeouts.
class InterruptedIndexTest {
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");
    private static final int INTERRUPTS = 1_000;
    private static final String TEXT = "Spiders have eight legs.";

    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    @BeforeAll
    static void openModel() throws IOException {
        encoder = BiEncoder.open(MODEL);
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    private static void add(SemanticIndex index, int id) throws IOException {
        float[] vector = new float[encoder.dimension()];
        Arrays.fill(vector, 1f);
        vector[id % vector.length] = 2f;
        index.add(List.of(Document.of(Integer.toString(id), TEXT)), new float[][] {vector});
    }

    @Test
    void aThreadThatIsInterruptedChangesCommitsAndClosesAllTheSame() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            add(index, 0);
            index.commit();
            Thread.currentThread().interrupt();
            add(index, 1);
            index.remove(List.of("0"));
            index.commit();
            // The index already contains this text: nothing to embed.
            assertEquals(0, index.add(List.of(Document.of("2", TEXT))).embedded());
            index.optimize();
            index.refresh();
            assertEquals(2, index.size());
            assertTrue(Thread.interrupted());
            add(index, 3);
            Thread.currentThread().interrupt();
        }
        assertTrue(Thread.interrupted());
        assertEquals(Set.of("1", "2", "3"), IndexContents.ids(folder));
    }

    @Test
    void addingIsCancelledBeforeItEmbedsAndAddsNothing() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            add(index, 0);
            index.commit();
            Thread.currentThread().interrupt();
            assertThrows(
                    CancelledException.class,
                    () -> index.add(List.of(Document.of("1", TEXT), Document.of("2", "Ants have six."))));
            assertTrue(Thread.interrupted());
            assertEquals(1, index.add(List.of(Document.of("3", "Bees fly."))).added());
        }
        assertEquals(Set.of("0", "3"), IndexContents.ids(folder));
    }

    @Test
    void anUpdateThatIsCancelledKeepsTheBatchesBefore() throws IOException {
        List<Document> documents = IntStream.range(0, 50)
                .mapToObj(i -> Document.of("d" + i, "text number " + i))
                .toList();
        UpdateListener interrupting = new UpdateListener() {
            @Override
            public void committed(UpdateReport soFar) {
                if (soFar.read() == 20) {
                    Thread.currentThread().interrupt();
                }
            }
        };
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            add(index, 0);
            index.commit();
            assertThrows(
                    CancelledException.class,
                    () -> index.update(documents.iterator(), true, new BatchSize(10, 10), interrupting));
            assertTrue(Thread.interrupted());
            assertEquals(21, index.size());
            UpdateReport report = index.update(documents.iterator(), true, UpdateListener.NONE);
            assertEquals(new UpdateReport(50, 30, 0, 20, 1, 30), report);
        }
    }

    @Test
    void anUpdateThatIsCancelledWhileItEmbedsAddsNothingOfItsBatch() throws IOException {
        List<Document> documents = IntStream.range(0, 200)
                .mapToObj(i -> Document.of("d" + i, "text number %d ".formatted(i) + "and more ".repeat(i)))
                .toList();
        UpdateListener interrupting = new UpdateListener() {
            @Override
            public void embedded(long done, long total) {
                if (done < total) {
                    Thread.currentThread().interrupt();
                }
            }
        };
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            add(index, 0);
            index.commit();
            assertThrows(CancelledException.class, () -> index.update(documents.iterator(), false, interrupting));
            assertTrue(Thread.interrupted());
        }
        assertEquals(Set.of("0"), IndexContents.ids(folder));
    }

    @Test
    void anUpdateThatIsCancelledAtItsEndRemovesNothing() throws IOException {
        UpdateListener interrupting = new UpdateListener() {
            @Override
            public void committed(UpdateReport soFar) {
                Thread.currentThread().interrupt();
            }
        };
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            add(index, 0);
            index.commit();
            List<Document> documents = List.of(Document.of("d", "text"));
            assertThrows(
                    CancelledException.class,
                    () -> index.update(documents.iterator(), true, new BatchSize(10, 10), interrupting));
            assertTrue(Thread.interrupted());
        }
        assertEquals(Set.of("0", "d"), IndexContents.ids(folder));
    }

    @Test
    void waitingForAnotherThreadsUpdateIsCancelled() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        UpdateListener waiting = new UpdateListener() {
            @Override
            public void batchRead() {
                begun.countDown();
                try {
                    end.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            FutureTask<UpdateReport> update = new FutureTask<>(
                    () -> index.update(List.of(Document.of("updated", "text")).iterator(), false, waiting));
            Thread.ofPlatform().start(update);
            begun.await();
            Thread.currentThread().interrupt();
            assertThrows(CancelledException.class, () -> index.add(List.of(Document.of("added", "text"))));
            assertTrue(Thread.interrupted());
            end.countDown();
            assertEquals(1, update.get().added());
        }
        assertEquals(Set.of("updated"), IndexContents.ids(folder));
    }

    @Test
    void openingLeavesNoLockBehindWhateverInterruptsIt() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        List<Thread> openers = new ArrayList<>();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        AtomicInteger opened = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            openers.add(Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
                        opened.incrementAndGet();
                        add(index, opened.get());
                    } catch (IndexInUseException e) {
                        Thread.onSpinWait();
                    } catch (IOException | RuntimeException | Error e) {
                        failures.add(e);
                    }
                    Thread.interrupted();
                }
            }));
        }
        for (int i = 0; i < INTERRUPTS || opened.get() < 20; i++) {
            openers.get(i % openers.size()).interrupt();
            LockSupport.parkNanos(200_000);
        }
        done.set(true);
        for (Thread opener : openers) {
            opener.join();
        }
        assertEquals(List.of(), List.copyOf(failures));
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            assertEquals(opened.get(), index.size());
        }
    }

    @Test
    void openingSucceedsForAThreadThatIsInterrupted() throws IOException {
        Thread.currentThread().interrupt();
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            assertTrue(Thread.interrupted());
            add(index, 1);
            index.commit();
            assertEquals(1, index.size());
        }
    }

    @Test
    void manyInterruptsLoseNothing() throws IOException, InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = Thread.currentThread();
        Thread storm = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < INTERRUPTS || !done.get(); i++) {
                writer.interrupt();
                Thread.yield();
            }
        });
        int documents = 0;
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            while (documents < 300) {
                add(index, documents++);
                if (documents % 20 == 0) {
                    index.commit();
                    assertEquals(documents, index.size());
                }
            }
        } finally {
            done.set(true);
            while (storm.isAlive()) {
                Thread.interrupted();
                Thread.onSpinWait();
            }
            Thread.interrupted();
        }
        try (SemanticIndex again = SemanticIndex.openReadOnly(folder)) {
            assertEquals(documents, again.size());
        }
    }
}
