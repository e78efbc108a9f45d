package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Interrupts of threads that use the public API.
@Timeout(120)
class InterruptTest {
    private static final String MODEL = "gptneo-ce";
    private static final List<String> TEXTS =
            IntStream.range(0, 5000).mapToObj(i -> "text " + i).toList();

    @TempDir
    private Path folder;

    @AfterEach
    void clear() {
        Thread.interrupted();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void aStormOfInterruptsBreaksNothing(int threads) throws InterruptedException, ExecutionException {
        try (Model model = Model.open(Goldens.model(MODEL), ModelOptions.DEFAULT.withThreads(threads))) {
            InterruptStorm.run(model, 1000);
        }
    }

    /// The outcome of a call on a pool's only thread.
    private record Outcome(Throwable thrown, long done) {}

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void poolsCancelTheirCalls(boolean one) throws InterruptedException {
        AtomicLong done = new AtomicLong();
        AtomicReference<Outcome> outcome = new AtomicReference<>();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        try (BiEncoder encoder = BiEncoder.open(
                        Goldens.model(MODEL), ModelOptions.DEFAULT, BiEncoderOptions.DEFAULT.withBatchTokens(40));
                ExecutorService pool = Executors.newSingleThreadExecutor()) {
            Future<?> future = pool.submit(() -> {
                try {
                    encoder.embed(TEXTS, TextKind.TEXT, (finished, total) -> {
                        done.set(finished);
                        begun.countDown();
                    });
                } catch (CancelledException e) {
                    outcome.set(new Outcome(e, done.get()));
                    cancelled.countDown();
                }
            });
            begun.await();
            if (one) {
                future.cancel(true);
            } else {
                pool.shutdownNow();
            }
            assertTrue(cancelled.await(60, TimeUnit.SECONDS), "cancelled");
            assertTrue(outcome.get().done() < TEXTS.size(), outcome::toString);
            if (one) {
                assertTrue(future.isCancelled());
            } else {
                assertTrue(pool.awaitTermination(60, TimeUnit.SECONDS));
            }
        }
    }

    private static void expectCancelled(Executable call) {
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, call);
        assertTrue(Thread.interrupted(), "the status stays set");
    }

    @Test
    void aThreadThatIsInterruptedGetsTheExceptionForEmptyListsToo() {
        try (Model model = Model.open(Goldens.model(MODEL));
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT)) {
            for (List<String> texts : List.of(List.<String>of(), List.of(""), List.of("moon"))) {
                expectCancelled(() -> encoder.embed(texts));
                expectCancelled(() -> encoder.embeddings(texts, TextKind.QUERY, ProgressListener.NONE));
                expectCancelled(() -> scorer.score("", texts));
                expectCancelled(() -> scorer.score("snow", texts));
            }
            assertEquals(0, encoder.truncation(TextKind.TEXT).texts());
            assertEquals(0, scorer.truncation().texts());
        }
    }

    @Test
    void aClosedEncoderSaysSoOnAnInterruptedThread() {
        BiEncoder encoder = BiEncoder.open(Goldens.model(MODEL));
        CrossEncoder scorer = CrossEncoder.open(Goldens.model(MODEL));
        encoder.close();
        scorer.close();
        Thread.currentThread().interrupt();
        assertThrows(IllegalStateException.class, () -> encoder.embed("moon"));
        assertThrows(IllegalStateException.class, () -> scorer.score("snow", List.of("moon")));
    }

    @Test
    void closingTheModelOfACallThatIsCancelledEndsIt() {
        for (int threads : new int[] {1, 3}) {
            Model model = Model.open(Goldens.model(MODEL), ModelOptions.DEFAULT.withThreads(threads));
            BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(8));
            assertThrows(
                    CancelledException.class,
                    () -> encoder.embed(TEXTS, TextKind.TEXT, (done, total) -> {
                        Thread.currentThread().interrupt();
                        model.close();
                    }));
            assertTrue(Thread.interrupted());
            assertThrows(IllegalStateException.class, () -> encoder.embed("moon"));
        }
    }

    @Test
    void aModelIsReadOrTheReadingIsCancelled() {
        Path directory = Goldens.model(MODEL);
        expectCancelled(() -> Model.open(directory));
        expectCancelled(() -> BiEncoder.open(directory));
        expectCancelled(() -> CrossEncoder.open(directory));
        try (Model model = Model.open(directory);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            String fingerprint = model.fingerprint();
            String ofEncoder = encoder.fingerprint();
            expectCancelled(() -> BiEncoder.of(model, BiEncoderOptions.DEFAULT));
            expectCancelled(() -> CrossEncoder.of(model, CrossEncoderOptions.DEFAULT));
            expectCancelled(model::fingerprint);
            expectCancelled(encoder::fingerprint);
            expectCancelled(model::tensors);
            expectCancelled(model::scan);
            assertEquals(fingerprint, model.fingerprint());
            assertEquals(ofEncoder, encoder.fingerprint());
            assertEquals(model.tensors().size(), model.scan().size());
            // Calls that neither read weights nor compute still work.
            int[] ids = model.tokenize("moon", false);
            Thread.currentThread().interrupt();
            assertArrayEquals(ids, model.tokenize("moon", false));
            assertArrayEquals(ids, encoder.tokenize("moon", TextKind.TEXT));
        }
    }

    /// Files under a directory that this process has mapped.
    private static List<String> mapped(Path directory) throws IOException {
        Path maps = Path.of("/proc/self/maps");
        assumeTrue(Files.isReadable(maps), "needs /proc/self/maps");
        try (var lines = Files.lines(maps)) {
            return lines.filter(line -> line.contains(directory.toString())).toList();
        }
    }

    /// With a dense layer, so that several weight files are opened.
    @Test
    void openingThatIsCancelledLeavesNothingOpen() throws IOException {
        CheckpointFolder checkpoint = CheckpointFolder.copy(MODEL, folder);
        checkpoint.write("modules.json", """
                [{"path": "", "type": "sentence_transformers.models.Transformer"},
                 {"path": "1", "type": "sentence_transformers.models.Pooling"},
                 {"path": "2", "type": "sentence_transformers.models.Dense"}]""");
        checkpoint.write("1/config.json", "{}");
        checkpoint.write("2/config.json", "{\"in_features\": 64, \"out_features\": 3, \"bias\": false}");
        new SafetensorsWriter()
                .add("linear.weight", Shape.of(3, 64), new float[3 * 64])
                .write(checkpoint.file("2/model.safetensors"));
        Thread caller = Thread.currentThread();
        Random random = new Random(Long.getLong("sgpt4j.seed", 4096));
        int opened = 0;
        int cancelled = 0;
        long longest = 0;
        for (int i = 0; i < 100 || opened == 0 || cancelled == 0; i++) {
            long delay = longest == 0 ? 0 : random.nextLong(2 * longest);
            Thread interrupter = i == 0
                    ? new Thread()
                    : Thread.ofPlatform().unstarted(() -> {
                        LockSupport.parkNanos(delay);
                        caller.interrupt();
                    });
            interrupter.start();
            long start = System.nanoTime();
            try (BiEncoder encoder = BiEncoder.open(checkpoint.directory())) {
                longest = System.nanoTime() - start;
                encoder.fingerprint();
                opened++;
            } catch (CancelledException e) {
                assertTrue(Thread.currentThread().isInterrupted(), "the status stays set");
                cancelled++;
            }
            while (interrupter.isAlive()) {
                Thread.onSpinWait();
            }
            Thread.interrupted();
            assertEquals(List.of(), mapped(checkpoint.directory()));
        }
    }
}
