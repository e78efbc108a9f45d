package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Threads that use a cache of results are interrupted while results are computed, found or stored, and
/// while the cache is opened or closed.
class InterruptedCacheTest {
    private static final int TEXTS = 2 * ResultCache.PIECE + 10;

    @TempDir
    private Path folder;

    /// Makes vectors, and interrupts its thread after a call, before the results are stored.
    private static final class Embedder implements TextEmbedder {
        private int calls;
        private int interruptAfter;

        @Override
        public int dimension() {
            return 2;
        }

        @Override
        public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
            calls++;
            if (calls == interruptAfter) {
                Thread.currentThread().interrupt();
            }
            return texts.stream().map(InterruptedCacheTest::vector).toArray(float[][]::new);
        }
    }

    private static float[] vector(String text) {
        return new float[] {text.hashCode(), text.length()};
    }

    private static List<String> texts(String kind, int count) {
        return IntStream.range(0, count).mapToObj(i -> kind + i).toList();
    }

    private static void check(CachedEmbedder cache, List<String> texts) {
        float[][] vectors = cache.embed(texts, TextKind.DOCUMENT, ProgressListener.NONE);
        for (int i = 0; i < vectors.length; i++) {
            assertArrayEquals(vector(texts.get(i)), vectors[i]);
        }
    }

    private CachedEmbedder open(Embedder embedder) throws IOException {
        return CachedEmbedder.open(embedder, folder, "model");
    }

    @Test
    void whatWasComputedBeforeAnInterruptIsStoredAndTheCacheGoesOn() throws Exception {
        Embedder embedder = new Embedder();
        embedder.interruptAfter = 2;
        List<String> texts = texts("text", TEXTS);
        try (CachedEmbedder cache = open(embedder)) {
            assertThrows(CancelledException.class, () -> check(cache, texts));
            assertTrue(Thread.interrupted());
            assertEquals(2 * ResultCache.PIECE, cache.computed());
            check(cache, texts);
            assertEquals(TEXTS, cache.computed());
            FutureTask<Boolean> other = new FutureTask<>(() -> {
                check(cache, texts("other", 10));
                return true;
            });
            Thread.ofPlatform().start(other);
            assertTrue(other.get());
        }
        try (CachedEmbedder again = open(embedder)) {
            check(again, texts);
            check(again, texts("other", 10));
            assertEquals(TEXTS + 10, again.found());
            assertEquals(0, again.computed());
        }
    }

    @Test
    void anInterruptAfterTheLastTextLosesNothing() throws IOException {
        Embedder embedder = new Embedder();
        embedder.interruptAfter = 1;
        try (CachedEmbedder cache = open(embedder)) {
            check(cache, texts("text", 10));
            assertTrue(Thread.interrupted());
        }
        try (CachedEmbedder again = open(embedder)) {
            check(again, texts("text", 10));
            assertEquals(10, again.found());
        }
    }

    @Test
    void aThreadThatIsInterruptedOpensFindsAndClosesAllTheSame() throws IOException {
        Embedder embedder = new Embedder();
        try (CachedEmbedder cache = open(embedder)) {
            check(cache, texts("text", 10));
        }
        Thread.currentThread().interrupt();
        try (CachedEmbedder again = open(embedder)) {
            check(again, texts("text", 10));
            assertThrows(CancelledException.class, () -> check(again, texts("new", 1)));
            check(again, texts("text", 10));
            assertEquals(20, again.found());
            assertEquals(0, again.computed());
        }
        assertTrue(Thread.interrupted());
        try (CachedEmbedder more = open(embedder)) {
            check(more, texts("new", 1));
            assertEquals(1, more.computed());
        }
    }

    @Test
    void scoresAreCachedByTheSameRules() throws IOException {
        List<String> texts = texts("text", TEXTS);
        int[] calls = {0};
        TextPairScorer scorer = (queries, documents, progress) -> {
            if (++calls[0] == 1) {
                Thread.currentThread().interrupt();
            }
            float[] scores = new float[documents.size()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = documents.get(i).hashCode();
            }
            return scores;
        };
        List<String> queries = Collections.nCopies(TEXTS, "query");
        try (CachedPairScorer cache = CachedPairScorer.open(scorer, folder, "model")) {
            assertThrows(CancelledException.class, () -> cache.score(queries, texts, ProgressListener.NONE));
            assertTrue(Thread.interrupted());
            float[] scores = cache.score(queries, texts, ProgressListener.NONE);
            for (int i = 0; i < TEXTS; i++) {
                assertEquals(texts.get(i).hashCode(), scores[i]);
            }
            assertEquals(TEXTS, cache.computed());
            assertEquals(ResultCache.PIECE, cache.found());
        }
    }

    @Test
    void aClosedCacheSaysSo() throws IOException {
        CachedEmbedder cache = open(new Embedder());
        cache.close();
        cache.close();
        String message = assertThrows(IllegalStateException.class, () -> check(cache, texts("text", 1)))
                .getMessage();
        assertTrue(message.contains("the cache is closed"), message);
    }
}
