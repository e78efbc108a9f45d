package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Backends;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.CancelledException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Interrupts at every layer of a call, over a backend that counts computed layers and open resources.
@Timeout(120)
class CancelledCallsTest {
    private static final String MODEL = "gptneo-ce";
    private static final Progress QUIET = (done, total) -> {};
    private static final List<String> TEXTS =
            IntStream.range(0, 9).mapToObj(i -> i + " is the moon").toList();

    private int layers;
    private int interruptAt;
    private final Thread caller = Thread.currentThread();

    @AfterEach
    void clear() {
        Thread.interrupted();
    }

    private ReferenceModel open(int sides) {
        return ReferenceModel.open(
                MODEL, backend -> Backends.sideBySide(Backends.layers(backend, this::countLayer), sides));
    }

    private synchronized void countLayer() {
        if (++layers == interruptAt) {
            caller.interrupt();
        }
    }

    private synchronized void countFromZero(int interruptAt) {
        layers = 0;
        this.interruptAt = interruptAt;
    }

    private synchronized int layers() {
        return layers;
    }

    /// What a call computes.
    private interface Work {
        float[][] compute(Progress progress);
    }

    private static Work work(ReferenceModel model, String kind) {
        if (kind.equals("score")) {
            List<String> queries = Collections.nCopies(TEXTS.size(), "close to earth");
            return progress -> model.scorer().logProbabilities(queries, TEXTS, 60, progress);
        }
        EmbeddingSteps steps =
                EmbeddingSteps.load(model.wrapped(), List.of(), model.decoder().width());
        TextEncoder encoder = new TextEncoder(
                model.decoder(), model.tokenizer(), List.of(PoolMode.WEIGHTED_MEAN), true, steps, model.maxLength());
        return progress -> encoder.embed(TEXTS, new TextFraming.Plain(), 12, progress);
    }

    private static void expectCancelled(ReferenceModel model, Work work, Progress progress, String when) {
        CancelledException thrown = assertThrows(CancelledException.class, () -> work.compute(progress), when);
        String message = thrown.getMessage();
        assertTrue(message.endsWith(": the calling thread was interrupted"), message);
        assertTrue(Thread.interrupted(), when + ": the status stays set");
        assertEquals(0, model.backend().openTensors(), when);
        assertEquals(0, model.backend().openBatches(), when);
        assertEquals(List.of(), lanes(), when);
    }

    private static List<Thread> lanes() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("sgpt4j-lane"))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"embed,1", "embed,2", "embed,4", "score,1", "score,2", "score,4"})
    void noFurtherLayerIsBegun(String kind, int sides) {
        try (ReferenceModel model = open(sides)) {
            Work work = work(model, kind);
            float[][] expected = work.compute(QUIET);
            int all = layers();
            assertTrue(all >= 4 * model.decoder().config().layers(), "layers " + all);
            for (int at = 1; at <= all; at++) {
                countFromZero(at);
                expectCancelled(model, work, QUIET, "interrupt at layer " + at);
                // Each of the other threads may have checked just before.
                assertTrue(layers() - at < sides, "%d layers after the interrupt".formatted(layers() - at));
                countFromZero(0);
                if (at % 8 == 1) {
                    assertArrayEquals(expected, work.compute(QUIET), "the next call");
                }
            }
            assertArrayEquals(expected, work.compute(QUIET), "the last call");
        }
    }

    @ParameterizedTest
    @CsvSource({"embed,1", "embed,3", "score,1", "score,3"})
    void anInterruptByAListenerEndsTheCall(String kind, int sides) {
        try (ReferenceModel model = open(sides)) {
            Work work = work(model, kind);
            float[][] expected = work.compute(QUIET);
            List<Long> steps = new ArrayList<>();
            work.compute((done, total) -> steps.add(done));
            // On any thread, and also if nothing is left to compute.
            for (int at = 1; at <= steps.size(); at++) {
                int interruptAt = at;
                AtomicInteger told = new AtomicInteger();
                expectCancelled(
                        model,
                        work,
                        (done, total) -> {
                            if (told.incrementAndGet() == interruptAt) {
                                Thread.currentThread().interrupt();
                            }
                        },
                        "interrupt at step " + at);
                assertTrue(told.get() - at < sides, "told %d times".formatted(told.get()));
            }
            assertArrayEquals(expected, work.compute(QUIET));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"embed", "score"})
    void aThreadThatIsInterruptedComputesNothing(String kind) {
        try (ReferenceModel model = open(2)) {
            Work work = work(model, kind);
            Thread.currentThread().interrupt();
            expectCancelled(
                    model,
                    work,
                    (done, total) -> {
                        throw new AssertionError("told " + done);
                    },
                    "interrupt beforehand");
            assertEquals(0, layers());
            assertEquals(0, model.backend().embeddedRows());
        }
    }

    @Test
    void itIsToldHowFarTheCallWas() {
        try (ReferenceModel model = open(1)) {
            Work work = work(model, "embed");
            long[] first = {0};
            CancelledException thrown = assertThrows(
                    CancelledException.class,
                    () -> work.compute((done, total) -> {
                        first[0] = done;
                        Thread.currentThread().interrupt();
                    }));
            assertEquals(
                    "embedding texts was cancelled after %d of 9: the calling thread was interrupted"
                            .formatted(first[0]),
                    thrown.getMessage());
            assertTrue(Thread.interrupted());
            assertFalse(first[0] == 0 || first[0] == TEXTS.size(), "in the middle");
        }
    }
}
