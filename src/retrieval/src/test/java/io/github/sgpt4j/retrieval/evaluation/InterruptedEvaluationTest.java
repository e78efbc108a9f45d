package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Evaluating threads are interrupted at each of a listener's events, and start again.
class InterruptedEvaluationTest {
    private static final int DOCUMENTS = 2_500;
    private static final int QUERIES = 20;

    @TempDir
    private Path folder;

    private final Events events = new Events();

    /// Counts a listener's events, and interrupts at one of them.
    private static final class Events implements EvaluationListener {
        private int count;
        private int interruptAt = Integer.MAX_VALUE;

        @Override
        public void update(String task, long done, long total) {
            count++;
            if (count == interruptAt) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Makes vectors; does not check for interrupts.
    private static final class Embedder implements TextEmbedder {
        @Override
        public int dimension() {
            return 3;
        }

        @Override
        public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
            progress.update(0, texts.size());
            float[][] vectors = texts.stream()
                    .map(text -> new float[] {text.hashCode(), text.length(), 1})
                    .toArray(float[][]::new);
            progress.update(texts.size(), texts.size());
            return vectors;
        }
    }

    /// An evaluation.
    @FunctionalInterface
    private interface Work {
        Object run() throws IOException;
    }

    @BeforeEach
    void writeFiles() throws IOException {
        StringBuilder corpus = new StringBuilder();
        for (int i = 0; i < DOCUMENTS; i++) {
            corpus.append(
                    "{\"_id\": \"%d\", \"title\": \"t%d\", \"text\": \"text %d\"}\n".formatted(i, i % 7, i % 400));
        }
        StringBuilder texts = new StringBuilder();
        StringBuilder qrels = new StringBuilder("query-id\tcorpus-id\tscore\n");
        for (int i = 0; i < QUERIES; i++) {
            texts.append("{\"_id\": \"q%d\", \"text\": \"text %d\"}\n".formatted(i, i));
            qrels.append("q%d\t%d\t1\n".formatted(i, i * 3));
        }
        Files.createDirectories(folder.resolve("data/qrels"));
        Files.writeString(folder.resolve("data/corpus.jsonl"), corpus.toString());
        Files.writeString(folder.resolve("data/queries.jsonl"), texts.toString());
        Files.writeString(folder.resolve("data/qrels/test.tsv"), qrels.toString());
    }

    private BeirRetrieval retrieval() throws IOException {
        return new BeirRetrieval(BeirDataset.open(folder.resolve("data"), "test"), 100, true, events);
    }

    /// For an interrupt at each event: the evaluation is cancelled, or was finished and its result is
    /// correct.
    private void interruptEverywhere(Work work) throws IOException {
        Object expected = work.run();
        events.count = 0;
        assertEquals(expected, work.run());
        int all = events.count;
        assertTrue(all > 3, all + " events");
        int cancelled = 0;
        for (int at = 1; at <= all; at++) {
            events.count = 0;
            events.interruptAt = at;
            try {
                assertEquals(expected, work.run());
            } catch (CancelledException e) {
                cancelled++;
            }
            assertTrue(Thread.interrupted(), "interrupted at event %d of %d".formatted(at, all));
        }
        assertTrue(cancelled >= Math.max(1, all - 4), cancelled + " cancelled of " + all);
        events.interruptAt = Integer.MAX_VALUE;
        assertEquals(expected, work.run());
    }

    private static Object results(Run run) {
        return run.queries().stream().map(run::ranking).toList();
    }

    @Test
    void aSearchByMeaningIsCancelledAndCanBeStartedAgain() throws IOException {
        BeirRetrieval retrieval = retrieval();
        interruptEverywhere(() -> results(retrieval.dense(new Embedder())));
    }

    /// Everything is in the cache, so that no embedding can notice the interrupt.
    @Test
    void aSearchWithCachedVectorsIsCancelledAndCanBeStartedAgain() throws IOException {
        BeirRetrieval retrieval = retrieval();
        try (CachedEmbedder cache = CachedEmbedder.open(new Embedder(), folder.resolve("cache"), "model")) {
            interruptEverywhere(() -> results(retrieval.dense(cache)));
        }
    }

    @Test
    void aSearchByWordsIsCancelledAndCanBeStartedAgain() throws IOException {
        BeirRetrieval retrieval = retrieval();
        interruptEverywhere(() -> results(retrieval.bm25(folder.resolve("words"))));
    }

    @Test
    void aReRankingIsCancelledAndCanBeStartedAgain() throws IOException {
        BeirRetrieval retrieval = retrieval();
        Run first = retrieval.bm25(folder.resolve("words"));
        TextPairScorer scorer = (queries, documents, progress) -> {
            float[] scores = new float[documents.size()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = documents.get(i).hashCode();
            }
            progress.update(scores.length, scores.length);
            return scores;
        };
        try (CachedPairScorer cache = CachedPairScorer.open(scorer, folder.resolve("cache"), "model")) {
            interruptEverywhere(() -> results(retrieval.rerank(first, 100, cache)));
        }
    }

    @Test
    void exactSearchOfManyDocumentsIsCancelledWithinABlock() {
        List<String> ids =
                IntStream.range(0, DOCUMENTS).mapToObj(Integer::toString).toList();
        float[][] vectors =
                IntStream.range(0, DOCUMENTS).mapToObj(i -> new float[] {1, i}).toArray(float[][]::new);
        ExactSearch search = new ExactSearch(List.of("q"), new float[][] {{1, 1}}, Similarity.DOT, 5, false);
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, () -> search.add(ids, vectors));
        assertTrue(Thread.interrupted());
        assertEquals(Map.of("q", List.of()), search.results());
    }

    @Test
    void measuringIsCancelled() throws IOException {
        BeirDataset dataset = BeirDataset.open(folder.resolve("data"), "test");
        List<Measure> measures = List.of(new Measure(Measure.Kind.NDCG, 10));
        Run run = retrieval().dense(new Embedder());
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, () -> Evaluation.of(dataset.qrels(), run, measures));
        assertTrue(Thread.interrupted());
        assertEquals(
                QUERIES, Evaluation.of(dataset.qrels(), run, measures).queries().size());
    }

    @Test
    void aTaskOfUsebIsReadAndItsEvaluationCancelled() throws IOException {
        Files.createDirectories(folder.resolve("useb/askubuntu"));
        Files.writeString(folder.resolve("useb/askubuntu/text_tokenized.txt"), "q\tone\tx\na\ttwo\tx\nb\tthree\tx\n");
        Files.writeString(folder.resolve("useb/askubuntu/test.txt"), "q\tb\ta b\t1 2\n");
        Thread.currentThread().interrupt();
        UsebTask task = Useb.open(folder.resolve("useb"), Useb.Split.TEST).getFirst();
        assertThrows(CancelledException.class, () -> task.evaluate(new Embedder(), EvaluationListener.NONE));
        assertTrue(Thread.interrupted());
        assertEquals(4, task.evaluate(new Embedder(), EvaluationListener.NONE).size());
    }

    /// Judgements, queries and the corpus are read to the end.
    @Test
    void aThreadThatIsInterruptedReadsACollection() throws IOException {
        Thread.currentThread().interrupt();
        BeirDataset dataset = BeirDataset.open(folder.resolve("data"), "test");
        assertTrue(Thread.interrupted());
        assertEquals(QUERIES, dataset.queries().size());
    }
}
