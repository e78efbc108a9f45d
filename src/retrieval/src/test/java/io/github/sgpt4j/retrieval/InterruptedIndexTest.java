package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Threads that write an index are interrupted, as those of services with timeouts are.
class InterruptedIndexTest {
    private static final int INTERRUPTS = 1_000;

    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    @BeforeAll
    static void openModel() throws IOException {
        encoder = BiEncoder.open(NanoModel.directory());
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    private static void add(SemanticIndex index, int id) throws IOException {
        float[] vector = new float[encoder.dimension()];
        Arrays.fill(vector, 1f);
        vector[id % vector.length] = 2f;
        index.add(List.of(Document.of(Integer.toString(id), "Spiders have eight legs.")), new float[][] {vector});
    }

    @Test
    void aThreadThatIsInterruptedAddsCommitsAndClosesAllTheSame() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            Thread.currentThread().interrupt();
            index.add(List.of(Document.of("1", "A spider has eight legs.")));
            index.remove(List.of("0"));
            index.commit();
            index.optimize();
            assertTrue(Thread.interrupted());
            add(index, 2);
            Thread.currentThread().interrupt();
        }
        assertTrue(Thread.interrupted());
        try (SemanticIndex again = SemanticIndex.open(folder, encoder)) {
            assertEquals(2, again.size());
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
