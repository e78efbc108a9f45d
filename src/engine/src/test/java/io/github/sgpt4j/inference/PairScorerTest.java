package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backends;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Counts what a call computes, on the reference backend.
class PairScorerTest {
    private static final String MODEL = "gptneo-ce";
    private static final Progress QUIET = (done, total) -> {};
    private static final List<String> DOCUMENTS =
            List.of("the moon", "fear of spiders", "a small planet far from the sun", "", "{braces} [brackets]");
    private static final List<String> QUERIES =
            List.of("planet close to earth", "spiders", "how to cook rice?", "planet", "the moon and the sun");

    private final List<PackedBatch> embedded = Collections.synchronizedList(new ArrayList<>());

    static List<String> crossEncoders() {
        return Goldens.crossEncoders();
    }

    private Backend watch(Backend backend) {
        return Backends.watched(backend, embedded::add);
    }

    /// Number of rows computed at a position of their sequence, over all batches.
    private long rowsAt(int position) {
        return embedded.stream()
                .flatMapToInt(b -> Arrays.stream(b.positions()))
                .filter(p -> p == position)
                .count();
    }

    @ParameterizedTest
    @MethodSource("crossEncoders")
    void scoresAgreeWithTheReferenceImplementationInDoublePrecision(String name) {
        Closeness tight = new Closeness(2e-6, 1e-6);
        try (ReferenceModel model = ReferenceModel.open(name)) {
            List<String> queries = Variants.strings(model.expected().get("queries"));
            List<String> documents = Variants.strings(model.expected().get("documents"));
            for (int q = 0; q < queries.size(); q++) {
                JsonNode expected = model.expected().get("token_log_probs").get(q);
                float[][] actual = model.scorer()
                        .logProbabilities(Collections.nCopies(documents.size(), queries.get(q)), documents, 300, QUIET);
                for (int d = 0; d < documents.size(); d++) {
                    tight.check("query %d, document %d".formatted(q, d), expected.get(d), actual[d]);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 60, 100_000})
    void theInstructionIsComputedOnceForAllDocuments(int batchTokens) {
        try (ReferenceModel model = ReferenceModel.open(MODEL, this::watch)) {
            model.scorer()
                    .logProbabilities(
                            Collections.nCopies(DOCUMENTS.size(), QUERIES.getFirst()), DOCUMENTS, batchTokens, QUIET);
            assertTrue(model.instruction() > 10);
            for (int p = 0; p < model.instruction(); p++) {
                assertEquals(1, rowsAt(p), "position " + p);
            }
            int own = DOCUMENTS.stream()
                    .mapToInt(d -> model.context(d).length - model.instruction() + model.tokens(QUERIES.getFirst()) - 1)
                    .sum();
            assertTrue(model.backend().embeddedRows() <= model.instruction() + own);
        }
    }

    @Test
    void aDocumentIsComputedOnceForAllQueries() {
        try (ReferenceModel model = ReferenceModel.open(MODEL, this::watch)) {
            String document = DOCUMENTS.get(2);
            model.scorer().logProbabilities(QUERIES, Collections.nCopies(QUERIES.size(), document), 100_000, QUIET);
            int context = model.context(document).length;
            for (int p = 0; p < context; p++) {
                assertEquals(1, rowsAt(p), "position " + p);
            }
            int queries = QUERIES.stream().mapToInt(q -> model.tokens(q) - 1).sum();
            assertEquals(context + queries, model.backend().embeddedRows());
        }
    }

    @Test
    void documentsOfAllPairsAreComputedOnceWhateverTheOrder() {
        List<String> queries = new ArrayList<>();
        List<String> documents = new ArrayList<>();
        for (String query : QUERIES) {
            for (String document : DOCUMENTS) {
                queries.add(query);
                documents.add(document);
            }
        }
        try (ReferenceModel model = ReferenceModel.open(MODEL, this::watch)) {
            model.scorer().logProbabilities(queries, documents, 100_000, QUIET);
            int shared = Arrays.mismatch(model.context(DOCUMENTS.get(0)), model.context(DOCUMENTS.get(1)));
            for (String document : DOCUMENTS) {
                shared = Math.min(shared, commonWithFirst(model, document));
            }
            int rows = shared;
            for (String document : DOCUMENTS) {
                rows += model.context(document).length - shared;
                rows += QUERIES.stream().mapToInt(q -> model.tokens(q) - 1).sum();
            }
            assertEquals(rows, model.backend().embeddedRows());
        }
    }

    @Test
    void batchesSideBySideShareTheInstructionAndKeepDocumentsTogether() {
        List<String> queries = new ArrayList<>();
        List<String> documents = new ArrayList<>();
        for (String query : QUERIES) {
            for (String document : DOCUMENTS) {
                queries.add(query);
                documents.add(document);
            }
        }
        float[][] expected;
        try (ReferenceModel model = ReferenceModel.open(MODEL)) {
            expected = model.scorer().logProbabilities(queries, documents, 100_000, QUIET);
        }
        try (ReferenceModel model = ReferenceModel.open(MODEL, b -> Backends.sideBySide(watch(b), 3))) {
            float[][] actual = model.scorer().logProbabilities(queries, documents, 240, QUIET);
            for (int i = 0; i < expected.length; i++) {
                Closeness.SAME.check("pair " + i, expected[i], actual[i]);
            }
            // One prefix and then several batches; each document is in one of them.
            assertTrue(embedded.size() > 3, "batches " + embedded.size());
            for (int p = 0; p < model.instruction(); p++) {
                assertEquals(1, rowsAt(p), "position " + p);
            }
            int rows = embedded.getFirst().tokens();
            for (String document : DOCUMENTS) {
                rows += model.context(document).length - embedded.getFirst().tokens();
                rows += QUERIES.stream().mapToInt(q -> model.tokens(q) - 1).sum();
            }
            assertEquals(rows, model.backend().embeddedRows());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 20, 60, 150, 1000})
    void nothingStaysOpenWhereBatchesSideBySideFail(int failing) {
        AtomicInteger calls = new AtomicInteger();
        int[] failAt = {-1};
        try (ReferenceModel model =
                ReferenceModel.open(MODEL, b -> Backends.sideBySide(failing(b, calls, failAt), 3))) {
            PairScorer scorer = model.scorer();
            model.decoder().requireHead();
            calls.set(0);
            failAt[0] = failing;
            List<String> queries = Collections.nCopies(60, "planet close to earth");
            List<String> documents = new ArrayList<>();
            for (int i = 0; i < queries.size(); i++) {
                documents.add("the moon is document number " + i);
            }
            assertThrows(BackendException.class, () -> scorer.logProbabilities(queries, documents, 100, QUIET));
            assertEquals(0, model.backend().openTensors());
            assertEquals(0, model.backend().openBatches());
        }
    }

    private static int commonWithFirst(ReferenceModel model, String document) {
        int[] first = model.context(DOCUMENTS.getFirst());
        int mismatch = Arrays.mismatch(first, model.context(document));
        return mismatch < 0 ? first.length - 1 : mismatch;
    }

    @Test
    void onlyScoredRowsReachTheOutputHead() {
        try (ReferenceModel model = ReferenceModel.open(MODEL)) {
            float[][] results = model.scorer().logProbabilities(QUERIES, DOCUMENTS, 100, QUIET);
            int targets = QUERIES.stream().mapToInt(model::tokens).sum();
            assertEquals(targets, model.backend().scoredRows());
            assertEquals(targets, Arrays.stream(results).mapToInt(r -> r.length).sum());
        }
    }

    @Test
    void aQueryWithoutTokensComputesNothing() {
        try (ReferenceModel model = ReferenceModel.open(MODEL)) {
            float[][] results = model.scorer().logProbabilities(List.of("", ""), DOCUMENTS.subList(0, 2), 100, QUIET);
            assertEquals(2, results.length);
            assertEquals(0, results[0].length);
            assertEquals(0, results[1].length);
            assertEquals(0, model.backend().embeddedRows());
            assertEquals(0, model.backend().scoredRows());
        }
    }

    @Test
    void aQueryWithoutTokensAmongOthersKeepsItsPlace() {
        try (ReferenceModel model = ReferenceModel.open(MODEL)) {
            List<String> queries = List.of("spiders", "", "planet");
            float[][] results = model.scorer().logProbabilities(queries, DOCUMENTS.subList(0, 3), 100, QUIET);
            for (int i = 0; i < queries.size(); i++) {
                assertEquals(model.tokens(queries.get(i)), results[i].length);
            }
            float[][] alone = model.scorer().logProbabilities(List.of("planet"), List.of(DOCUMENTS.get(2)), 100, QUIET);
            Closeness.SAME.check("planet", alone[0], results[2]);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 20, 33, 50, 80, 200})
    void noBatchExceedsTheTokenBudgetExceptForOneRequest(int batchTokens) {
        List<String> queries = new ArrayList<>();
        List<String> documents = new ArrayList<>();
        for (String document : DOCUMENTS) {
            for (String query : QUERIES) {
                queries.add(query);
                documents.add(document);
            }
        }
        try (ReferenceModel model = ReferenceModel.open(MODEL, this::watch)) {
            float[][] results = model.scorer().logProbabilities(queries, documents, batchTokens, QUIET);
            // The first pass computes the shared front.
            for (PackedBatch batch : embedded.subList(1, embedded.size())) {
                boolean oneRequest = batch.segments() - batch.firstSegment() <= 2;
                assertTrue(batch.tokens() <= batchTokens || oneRequest, batch.toString());
            }
            for (int i = 0; i < queries.size(); i++) {
                float[][] alone = model.scorer()
                        .logProbabilities(List.of(queries.get(i)), List.of(documents.get(i)), 1000, QUIET);
                Closeness.SAME.check("pair " + i, alone[0], results[i]);
            }
        }
    }

    @Test
    void progressEndsAtTheNumberOfPairs() {
        List<Long> seen = new ArrayList<>();
        try (ReferenceModel model = ReferenceModel.open(MODEL)) {
            model.scorer().logProbabilities(QUERIES, DOCUMENTS, 1, (done, total) -> {
                assertEquals(QUERIES.size(), total);
                seen.add(done);
            });
        }
        assertEquals((long) QUERIES.size(), seen.getLast());
        assertEquals(seen.stream().sorted().toList(), seen);
    }

    @Test
    void nothingStaysOpenWhereverTheBackendFails() {
        AtomicInteger calls = new AtomicInteger();
        int[] failAt = {-1};
        try (ReferenceModel model = ReferenceModel.open(MODEL, b -> failing(b, calls, failAt))) {
            PairScorer scorer = model.scorer();
            model.decoder().requireHead();
            List<String> queries = List.of("planet", "spiders");
            calls.set(0);
            scorer.logProbabilities(queries, DOCUMENTS.subList(0, 2), 1, QUIET);
            int operations = calls.get();
            assertTrue(operations > 50, "operations " + operations);
            for (int i = 0; i < operations; i++) {
                calls.set(0);
                failAt[0] = i;
                assertThrows(
                        BackendException.class,
                        () -> scorer.logProbabilities(queries, DOCUMENTS.subList(0, 2), 1, QUIET),
                        "call " + i);
                assertEquals(0, model.backend().openTensors(), "tensors after call " + i);
                assertEquals(0, model.backend().openBatches(), "batches after call " + i);
            }
            failAt[0] = -1;
            assertEquals(2, scorer.logProbabilities(queries, DOCUMENTS.subList(0, 2), 1, QUIET).length);
        }
    }

    private static Backend failing(Backend backend, AtomicInteger calls, int[] failAt) {
        return Backends.failing(backend, calls, () -> failAt[0]);
    }

    @Test
    void nothingStaysOpenWhereverTheBackendFailsWhileEmbedding() {
        AtomicInteger calls = new AtomicInteger();
        int[] failAt = {-1};
        try (ReferenceModel model = ReferenceModel.open("opt-ce", b -> failing(b, calls, failAt))) {
            EmbeddingSteps steps = EmbeddingSteps.load(
                    model.wrapped(), List.of(), model.decoder().width());
            TextEncoder encoder = new TextEncoder(
                    model.decoder(), model.tokenizer(), List.of(PoolMode.WEIGHTED_MEAN), true, steps, 40);
            calls.set(0);
            encoder.embed(DOCUMENTS, new TextFraming.Plain(), 10, QUIET);
            int operations = calls.get();
            for (int i = 0; i < operations; i++) {
                calls.set(0);
                failAt[0] = i;
                assertThrows(
                        BackendException.class,
                        () -> encoder.embed(DOCUMENTS, new TextFraming.Plain(), 10, QUIET),
                        "call " + i);
                assertEquals(0, model.backend().openTensors(), "tensors after call " + i);
                assertEquals(0, model.backend().openBatches(), "batches after call " + i);
            }
        }
    }

    @Test
    void unequalListsAreRefused() {
        try (ReferenceModel model = ReferenceModel.open(MODEL)) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> model.scorer().logProbabilities(QUERIES, DOCUMENTS.subList(0, 2), 100, QUIET));
        }
    }

    @Test
    void aMaximalLengthBeyondThePositionsIsRefused() {
        try (ReferenceModel model = ReferenceModel.open(MODEL)) {
            int longest = model.decoder().config().longest();
            for (int length : new int[] {0, -1, longest + 1}) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> new PairScorer(model.decoder(), model.tokenizer(), PromptTemplate.DEFAULT, length));
            }
        }
    }
}
