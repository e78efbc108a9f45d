package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.evaluation.CachedEmbedder;
import io.github.sgpt4j.retrieval.evaluation.TextEmbedder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Threads that share an index and a cache are interrupted all the time, whatever they are doing.
class InterruptStormTest {
    private static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");
    private static final int INTERRUPTS = 1_200;
    private static final int TEXTS = 300;

    /// Calls that each thread must finish during the storm.
    private static final int MIN_CALLS = 2;

    private static BiEncoder encoder;

    @TempDir
    private Path folder;

    private final AtomicBoolean done = new AtomicBoolean();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final Set<String> added = new ConcurrentSkipListSet<>();
    private final AtomicInteger cancelled = new AtomicInteger();
    private final List<Caller> callers = new ArrayList<>();

    @BeforeAll
    static void openModel() throws IOException {
        encoder = BiEncoder.open(MODEL);
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    /// What a thread does repeatedly.
    @FunctionalInterface
    private interface Work {
        void call(int number) throws IOException;
    }

    private record Caller(Thread thread, AtomicInteger finished) {}

    private void start(Work work) {
        AtomicInteger finished = new AtomicInteger();
        Thread thread = Thread.ofPlatform().start(() -> {
            for (int i = 0; !done.get(); i++) {
                try {
                    work.call(i);
                    finished.incrementAndGet();
                } catch (CancelledException e) {
                    cancelled.incrementAndGet();
                    if (!Thread.currentThread().isInterrupted()) {
                        failures.add(new AssertionError("cancelled without an interrupt", e));
                    }
                } catch (IOException | RuntimeException | Error e) {
                    failures.add(e);
                }
                Thread.interrupted();
            }
        });
        callers.add(new Caller(thread, finished));
    }

    private static float[] vector(int number) {
        Random random = new Random(number);
        float[] vector = new float[encoder.dimension()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return vector;
    }

    private static Document document(String kind, int number) {
        return Document.of(kind + number, "%s number %d".formatted(kind, number));
    }

    private void startWriters(SemanticIndex index) {
        start(i -> {
            List<Document> documents = List.of(document("given", i), document("also", i));
            index.add(documents, new float[][] {vector(i), vector(-i)});
            documents.forEach(document -> added.add(document.id()));
        });
        start(i -> {
            List<Document> documents = List.of(document("embedded", i), document("with", i));
            index.add(documents);
            documents.forEach(document -> added.add(document.id()));
        });
        start(i -> {
            String id = "given" + 3 * i;
            if (added.contains(id)) {
                index.remove(List.of(id));
                added.remove(id);
            }
        });
        start(i -> {
            index.commit();
            index.refresh();
            LockSupport.parkNanos(2_000_000);
        });
        start(i -> {
            List<Document> documents =
                    IntStream.range(0, 4).mapToObj(k -> document("updated", k)).toList();
            index.update(documents.iterator(), false, new BatchSize(2, 2), UpdateListener.NONE);
        });
    }

    private void startReaders(SemanticIndex index, CachedEmbedder cache, float[][] expected, List<String> texts) {
        for (SearchMode mode : SearchMode.values()) {
            start(i -> index.search(
                    "number " + i, SearchOptions.DEFAULT.withMode(mode).withExact(i % 2 == 0)));
        }
        start(i -> {
            try (SemanticIndex other = SemanticIndex.openReadOnly(folder.resolve("index"), encoder)) {
                other.search(vector(i), SearchOptions.DEFAULT);
            }
        });
        for (int k = 0; k < 2; k++) {
            int start = k;
            start(i -> {
                int from = (start * TEXTS / 2 + i * 10) % TEXTS;
                List<String> some = texts.subList(from, from + 10);
                float[][] vectors = cache.embed(some, TextKind.DOCUMENT, ProgressListener.NONE);
                for (int j = 0; j < 10; j++) {
                    assertArrayEquals(expected[from + j], vectors[j], 1e-5f);
                }
            });
        }
    }

    @Test
    void losesNothingThatWasAddedAddsNothingThatWasCancelledAndCachesWhatIsRight() throws Exception {
        List<String> texts =
                IntStream.range(0, TEXTS).mapToObj(i -> "cached text " + i).toList();
        float[][] expected = encoder.embed(texts, TextKind.DOCUMENT);
        Path path = folder.resolve("index");
        try (SemanticIndex index = SemanticIndex.open(path, encoder);
                CachedEmbedder cache = CachedEmbedder.open(TextEmbedder.of(encoder), folder.resolve("cache"), "id")) {
            startWriters(index);
            startReaders(index, cache, expected, texts);
            storm();
            assertEquals(List.of(), List.copyOf(failures));
            assertTrue(cancelled.get() > 0, "nothing was cancelled");
            index.commit();
            assertEquals(idsIn(IndexContents.ids(path)), new TreeSet<>(added));
            assertEquals(
                    IndexContents.ids(path),
                    new TreeSet<>(
                            index
                                    .search(
                                            vector(0),
                                            SearchOptions.DEFAULT
                                                    .withExact(true)
                                                    .withLimit(1_000_000))
                                    .stream()
                                    .map(hit -> hit.document().id())
                                    .toList()));
        }
        try (SemanticIndex again = SemanticIndex.open(path, encoder)) {
            assertEquals(IndexContents.ids(path).size(), again.size());
        }
        assertEquals(idsIn(IndexContents.ids(path)), new TreeSet<>(added));
        try (CachedEmbedder again = CachedEmbedder.open(TextEmbedder.of(encoder), folder.resolve("cache"), "id")) {
            float[][] vectors = again.embed(texts, TextKind.DOCUMENT, ProgressListener.NONE);
            for (int i = 0; i < TEXTS; i++) {
                assertArrayEquals(expected[i], vectors[i], 1e-5f);
            }
            assertTrue(again.found() > 0, "nothing was cached");
        }
    }

    /// Leaves out ids added by updates, which may have been cancelled between batches.
    private static Set<String> idsIn(Set<String> ids) {
        return new TreeSet<>(
                ids.stream().filter(id -> !id.startsWith("updated")).toList());
    }

    private void storm() throws InterruptedException {
        Iterator<Caller> next = callers.iterator();
        for (int i = 0; i < INTERRUPTS || callers.stream().anyMatch(caller -> caller.finished.get() < MIN_CALLS); i++) {
            if (!next.hasNext()) {
                next = callers.iterator();
            }
            next.next().thread.interrupt();
            // Pauses, so that some calls finish.
            LockSupport.parkNanos(i % 200 == 0 ? 50_000_000 : 300_000);
        }
        done.set(true);
        for (Caller caller : callers) {
            caller.thread.join();
        }
    }
}
