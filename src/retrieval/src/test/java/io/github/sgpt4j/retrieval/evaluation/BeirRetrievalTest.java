package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.ScoredId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BeirRetrievalTest {
    private static final int DIMENSION = 5;

    @TempDir
    Path folder;

    /// Makes random vectors that depend only on kind and text, and stops when told to.
    private static final class CountingEmbedder implements TextEmbedder {
        private final List<String> embedded = new ArrayList<>();
        private int limit = Integer.MAX_VALUE;

        @Override
        public int dimension() {
            return DIMENSION;
        }

        @Override
        public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
            if (embedded.size() + texts.size() > limit) {
                throw new IllegalStateException("stopped");
            }
            texts.forEach(text -> embedded.add(kind + " " + text));
            progress.update(texts.size(), texts.size());
            return texts.stream().map(text -> vector(text, kind)).toArray(float[][]::new);
        }

        static float[] vector(String text, TextKind kind) {
            Random random = new Random(text.hashCode() * 31L + kind.ordinal());
            float[] vector = new float[DIMENSION];
            for (int i = 0; i < DIMENSION; i++) {
                vector[i] = random.nextInt(5) - 2;
            }
            return vector;
        }
    }

    private BeirDataset dataset(int documents, int queries) throws IOException {
        StringBuilder corpus = new StringBuilder();
        for (int i = 0; i < documents; i++) {
            corpus.append(
                    "{\"_id\": \"%d\", \"title\": \"t%d\", \"text\": \"text %d\"}\n".formatted(i, i % 7, i % 400));
        }
        StringBuilder texts = new StringBuilder();
        StringBuilder qrels = new StringBuilder("query-id\tcorpus-id\tscore\n");
        for (int i = 0; i < queries; i++) {
            texts.append("{\"_id\": \"%d\", \"text\": \"query %d\"}\n".formatted(i, i));
            qrels.append(i).append('\t').append(i * 3 % documents).append("\t1\n");
        }
        texts.append("{\"_id\": \"unjudged\", \"text\": \"unjudged\"}\n");
        return write("data", corpus.toString(), texts.toString(), qrels.toString());
    }

    private BeirDataset write(String name, String corpus, String queries, String qrels) throws IOException {
        Path directory = folder.resolve(name);
        Files.createDirectories(directory.resolve("qrels"));
        Files.writeString(directory.resolve("corpus.jsonl"), corpus);
        Files.writeString(directory.resolve("queries.jsonl"), queries);
        Files.writeString(directory.resolve("qrels/test.tsv"), qrels);
        return BeirDataset.open(directory, "test");
    }

    private static BeirRetrieval retrieval(BeirDataset dataset, int depth) {
        return new BeirRetrieval(dataset, depth, true, EvaluationListener.NONE);
    }

    @Test
    void densePicksTheNearestDocumentsThatANaiveSearchPicks() throws IOException {
        BeirDataset dataset = dataset(3000, 40);
        Run run = retrieval(dataset, 25).dense(new CountingEmbedder());
        assertEquals(40, run.queries().size());
        for (int q = 0; q < 40; q++) {
            String id = Integer.toString(q);
            float[] query = CountingEmbedder.vector("query " + q, TextKind.QUERY);
            List<ScoredId> all = new ArrayList<>();
            for (int i = 0; i < 3000; i++) {
                if (i != q) {
                    String text = "t%d text %d".formatted(i % 7, i % 400);
                    all.add(new ScoredId(
                            Integer.toString(i), cosine(query, CountingEmbedder.vector(text, TextKind.DOCUMENT))));
                }
            }
            all.sort(RankingOrder.BEST_FIRST);
            List<ScoredId> found = run.ranking(id);
            assertEquals(25, found.size());
            for (int rank = 0; rank < 25; rank++) {
                assertEquals(all.get(rank).score(), found.get(rank).score(), 2e-6f, id + " rank " + rank);
            }
        }
    }

    private static float cosine(float[] a, float[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
        }
        return aa * bb == 0 ? 0 : (float) (ab / Math.sqrt(aa * bb));
    }

    @Test
    void equalDocumentsAreCutInTrecEvalsOrderWhateverOrderTheyCameIn() {
        List<String> ids = new ArrayList<>(List.of("a", "b", "c", "d", "e", "1", "10", "2"));
        for (int round = 0; round < 20; round++) {
            Collections.shuffle(ids, new Random(round));
            TopDocuments top = new TopDocuments(3);
            ids.forEach(id -> top.offer(id, id.equals("1") ? 1 : 0.5f));
            assertEquals(
                    List.of("1", "e", "d"),
                    top.list().stream().map(ScoredId::id).toList());
        }
    }

    @Test
    void anInterruptedEvaluationGoesOnWhereItStood() throws IOException {
        BeirDataset dataset = dataset(3000, 10);
        Run expected = retrieval(dataset, 20).dense(new CountingEmbedder());
        Path caches = folder.resolve("caches");
        CountingEmbedder embedder = new CountingEmbedder();
        int interruptions = 0;
        for (int limit = 300; ; limit += 700) {
            embedder.limit = limit;
            try (CachedEmbedder cached = CachedEmbedder.open(embedder, caches, "model")) {
                assertEquals(expected, retrieval(dataset, 20).dense(cached));
                break;
            } catch (IllegalStateException e) {
                interruptions++;
            }
        }
        assertTrue(interruptions >= 3, interruptions + " interruptions");
        // 7 titles and 400 texts make 2,800 distinct documents; each was embedded once, over all
        // attempts.
        assertEquals(2810, embedder.embedded.size());
        assertEquals(2810, new HashSet<>(embedder.embedded).size());
        try (CachedEmbedder cached = CachedEmbedder.open(embedder, caches, "model")) {
            assertEquals(expected, retrieval(dataset, 20).dense(cached));
            assertEquals(0, cached.computed());
            assertTrue(cached.found() >= 2810);
        }
        try (CachedEmbedder other = CachedEmbedder.open(new CountingEmbedder(), caches, "other model")) {
            retrieval(dataset, 20).dense(other);
            assertEquals(0, other.found() - (3000 - 2800), "another model finds nothing but what it embedded itself");
        }
    }

    @Test
    void embedsEqualTextsOfACallOnceEvenWithoutACache() throws IOException {
        CountingEmbedder embedder = new CountingEmbedder();
        try (CachedEmbedder none = CachedEmbedder.withoutCache(embedder)) {
            float[][] vectors = none.embed(List.of("a", "b", "a"), TextKind.TEXT, ProgressListener.NONE);
            assertArrayEquals(vectors[0], vectors[2]);
            assertArrayEquals(CountingEmbedder.vector("b", TextKind.TEXT), vectors[1]);
        }
        assertEquals(2, embedder.embedded.size());
    }

    @Test
    void refusesVectorsThatAreNotFinite() throws IOException {
        TextEmbedder broken = new TextEmbedder() {
            @Override
            public int dimension() {
                return 1;
            }

            @Override
            public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
                return new float[][] {{Float.NaN}};
            }
        };
        try (CachedEmbedder cached = CachedEmbedder.open(broken, folder, "model")) {
            assertThrows(FormatException.class, () -> cached.embed(List.of("a"), TextKind.TEXT, ProgressListener.NONE));
            assertThrows(FormatException.class, () -> cached.embed(List.of("a"), TextKind.TEXT, ProgressListener.NONE));
        }
    }

    @Test
    void bm25FindsDocumentsByTheirWordsButNotTheQuerysOwn() throws IOException {
        BeirDataset dataset = write(
                "words",
                """
                {"_id": "q1", "title": "", "text": "spiders"}
                {"_id": "d1", "title": "Fear", "text": "of large spiders"}
                {"_id": "d2", "title": "", "text": "a spider's web and another web"}
                {"_id": "d3", "title": "", "text": "bread"}
                """,
                "{\"_id\": \"q1\", \"text\": \"the spider\"}\n{\"_id\": \"q2\", \"text\": \"nothing alike\"}\n",
                "q1\td1\t1\nq2\td1\t1\n");
        Run run = retrieval(dataset, 1000).bm25(folder.resolve("index"));
        assertEquals(
                Set.of("d1", "d2"),
                new HashSet<>(run.ranking("q1").stream().map(ScoredId::id).toList()));
        assertEquals(List.of(), run.ranking("q2"));
        Run kept = new BeirRetrieval(dataset, 1, false, EvaluationListener.NONE).bm25(folder.resolve("index"));
        assertEquals(
                List.of("q1"), kept.ranking("q1").stream().map(ScoredId::id).toList());
    }

    @Test
    void rerankScoresTheBestOfARunAndSharesDocuments() throws IOException {
        BeirDataset dataset = dataset(900, 30);
        Run first = retrieval(dataset, 50).dense(new CountingEmbedder());
        List<List<String>> calls = new ArrayList<>();
        TextPairScorer scorer = (queries, documents, progress) -> {
            calls.add(List.copyOf(documents));
            progress.update(queries.size(), queries.size());
            float[] scores = new float[queries.size()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = score(queries.get(i), documents.get(i));
            }
            return scores;
        };
        Run run = retrieval(dataset, 50).rerank(first, 20, scorer);
        for (String query : run.queries()) {
            List<ScoredId> expected = first.ranking(query).subList(0, 20).stream()
                    .map(d -> new ScoredId(d.id(), score("query " + query, text(d.id()))))
                    .sorted(RankingOrder.BEST_FIRST)
                    .toList();
            assertEquals(expected, run.ranking(query));
        }
        int pairs = calls.stream().mapToInt(List::size).sum();
        assertEquals(30 * 20, pairs);
        // Equal documents are adjacent, so that a scorer can share their work.
        int changes = 0;
        for (List<String> documents : calls) {
            for (int i = 1; i < documents.size(); i++) {
                changes += documents.get(i).equals(documents.get(i - 1)) ? 0 : 1;
            }
        }
        long different = run.queries().stream()
                .flatMap(query -> run.ranking(query).stream().map(ScoredId::id))
                .distinct()
                .count();
        assertTrue(changes < different, changes + " changes for " + different + " documents");
    }

    private static String text(String id) {
        int i = Integer.parseInt(id);
        return "t%d text %d".formatted(i % 7, i % 400);
    }

    private static float score(String query, String document) {
        return -(float) Math.floorMod(query.hashCode() * 7 + document.hashCode() * 13, 1000);
    }

    @Test
    void rerankedScoresAreKept() throws IOException {
        BeirDataset dataset = dataset(300, 10);
        Run first = retrieval(dataset, 50).dense(new CountingEmbedder());
        int[] scored = {0};
        TextPairScorer scorer = (queries, documents, progress) -> {
            if (scored[0] >= 256 && scored[0] < 300) {
                scored[0] = 300;
                throw new IllegalStateException("stopped");
            }
            scored[0] += queries.size();
            float[] scores = new float[queries.size()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = score(queries.get(i), documents.get(i));
            }
            return scores;
        };
        try (CachedPairScorer cached = CachedPairScorer.open(scorer, folder.resolve("caches"), "model")) {
            assertThrows(
                    IllegalStateException.class, () -> retrieval(dataset, 50).rerank(first, 30, cached));
        }
        try (CachedPairScorer cached = CachedPairScorer.open(scorer, folder.resolve("caches"), "model")) {
            assertEquals(
                    retrieval(dataset, 50).rerank(first, 30, scorer),
                    retrieval(dataset, 50).rerank(first, 30, cached));
            assertEquals(300 - 256, cached.computed());
        }
    }

    @Test
    void rerankNeedsTheRunsDocuments() throws IOException {
        BeirDataset dataset = dataset(10, 2);
        Run foreign = Run.of(Map.of("0", List.of(new ScoredId("elsewhere", 1))));
        assertTrue(assertThrows(
                        FormatException.class,
                        () -> retrieval(dataset, 10).rerank(foreign, 10, (q, d, p) -> new float[q.size()]))
                .getMessage()
                .contains("\"elsewhere\""));
    }

    @Test
    void refusesADocumentThatJudgementsCannotName() throws IOException {
        BeirDataset dataset = write("nameless", "{\"text\": \"x\"}", "{\"_id\": \"q\", \"text\": \"x\"}", "q\t0\t1\n");
        assertTrue(
                assertThrows(FormatException.class, () -> retrieval(dataset, 10).dense(new CountingEmbedder()))
                        .getMessage()
                        .endsWith("corpus.jsonl: line 1: expected \"_id\", found none"));
    }

    @Test
    void refusesACorpusWithADocumentTwice() throws IOException {
        String document = "{\"_id\": \"d\", \"text\": \"spider\"}\n";
        BeirDataset dataset =
                write("twice", document + document, "{\"_id\": \"q\", \"text\": \"spider\"}", "q\td\t1\n");
        assertTrue(
                assertThrows(FormatException.class, () -> retrieval(dataset, 10).dense(new CountingEmbedder()))
                        .getMessage()
                        .contains("found \"d\" twice"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'_id': 'q'} | q~d~1 | queries.jsonl: line 1: expected \"text\", found none",
                "{'text': 'x'} | q~d~1 | queries.jsonl: line 1: expected \"_id\", found none",
                "{'_id': 'p', 'text': 'x'} | q~d~1 | queries.jsonl: expected a text for query \"q\", which",
                "{'_id': 'q', 'text': 'x'};{'_id': 'q', 'text': 'y'} | q~d~1 | queries.jsonl: line 2: query \"q\" occurs a",
                "{ | q~d~1 | queries.jsonl: line 1: not valid JSON at column 2: expected more, got the end",
                "{'_id': 'q', 'text': 'x'} | q~d | test.tsv: line 1: expected judgements",
            })
    void saysWhereACollectionIsMalformed(String queries, String qrels, String expected) {
        FormatException e = assertThrows(
                FormatException.class,
                () -> write(
                        "broken",
                        "{\"_id\": \"d\", \"text\": \"x\"}",
                        queries.replace('\'', '"').replace(';', '\n'),
                        qrels.replace('~', '\t')));
        assertTrue(e.getMessage().contains(expected), e.getMessage());
    }

    @Test
    void namesSplitsThatAreThereAndFindsForums() throws IOException {
        dataset(10, 2);
        Path data = folder.resolve("data");
        assertTrue(assertThrows(FormatException.class, () -> BeirDataset.open(data, "dev"))
                .getMessage()
                .contains("expected judgements of split \"dev\" in qrels, found test.tsv"));
        write("forums/b", "{\"_id\": \"d\", \"text\": \"x\"}", "{\"_id\": \"q\", \"text\": \"x\"}", "q\td\t1\n");
        write("forums/a", "{\"_id\": \"d\", \"text\": \"x\"}", "{\"_id\": \"q\", \"text\": \"x\"}", "q\td\t1\n");
        Files.createDirectories(folder.resolve("forums/other"));
        List<BeirDataset> forums = BeirDataset.openAll(folder.resolve("forums"), "test");
        assertEquals(List.of("a", "b"), forums.stream().map(BeirDataset::name).toList());
        assertEquals(Map.of("q", "x"), forums.getFirst().queries());
        assertEquals(1, BeirDataset.openAll(data, "test").size());
        assertEquals(2, BeirDataset.open(data, "test").queries().size());
        assertThrows(FormatException.class, () -> BeirDataset.openAll(folder.resolve("forums/other"), "test"));
        assertThrows(FormatException.class, () -> BeirDataset.openAll(folder.resolve("missing"), "test"));
    }

    @Test
    void tellsHowFarItIsFromZeroToAllOfEachTask() throws IOException {
        BeirDataset dataset = dataset(2000, 5);
        Map<String, List<Long>> seen = new LinkedHashMap<>();
        EvaluationListener listener = (task, done, total) -> {
            assertTrue(done >= 0 && done <= total, task + " " + done + " of " + total);
            seen.computeIfAbsent(task, t -> new ArrayList<>()).add(done * 1000 / total);
        };
        BeirRetrieval retrieval = new BeirRetrieval(dataset, 10, true, listener);
        try (CachedEmbedder embedder = CachedEmbedder.withoutCache(new CountingEmbedder())) {
            Run run = retrieval.dense(embedder);
            retrieval.rerank(run, 10, (q, d, p) -> {
                p.update(q.size(), q.size());
                return new float[q.size()];
            });
        }
        retrieval.bm25(folder.resolve("index"));
        assertEquals(
                List.of("embed queries of data", "embed data", "re-rank data", "index data", "search data"),
                List.copyOf(seen.keySet()));
        seen.forEach((task, steps) -> {
            assertEquals(steps.stream().sorted().toList(), steps, task);
            assertEquals(1000, steps.getLast(), task);
        });
    }
}
