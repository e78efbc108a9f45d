package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Many threads share a model on a device. Runs on the stand-in, which fails if no event orders the
/// work of two streams, and which runs the work of several streams in each of its orders.
@Tag("cuda-only")
class CudaThreadsTest {
    private static final String QUERY = "legs of spiders";

    /// Of several lengths, so that buffers for activations are sometimes about as large as those for
    /// index arrays, and memory moves between the two uses.
    private static final List<String> TEXTS = IntStream.range(0, 8)
            .mapToObj(i -> "the spider number " + i + " has eight legs" + " and bread".repeat(3 * i))
            .toList();

    /// Results of a single thread, per text.
    private static final List<float[]> VECTORS = new ArrayList<>();

    private static final List<List<CrossEncoder.Score>> SCORES = new ArrayList<>();

    /// A model with both encoders; closing the model is enough.
    private record Shared(Model model, BiEncoder embedder, CrossEncoder scorer) implements AutoCloseable {
        static Shared open() {
            Model model = Model.open(
                    Goldens.model("gptneox-ce"),
                    ModelOptions.DEFAULT.withDevice("cuda").withDtype(Dtype.FP32));
            return new Shared(
                    model,
                    BiEncoder.of(model, BiEncoderOptions.DEFAULT),
                    CrossEncoder.of(model, CrossEncoderOptions.DEFAULT));
        }

        float[] embed(int text) {
            return embedder.embed(TEXTS.get(text));
        }

        List<CrossEncoder.Score> score(int text) {
            return scorer.score(QUERY, List.of(TEXTS.get(text)));
        }

        @Override
        public void close() {
            embedder.close();
            scorer.close();
            model.close();
        }
    }

    @BeforeAll
    static void computeAlone() {
        CudaTests.requireStandIn();
        try (Shared shared = Shared.open()) {
            for (int i = 0; i < TEXTS.size(); i++) {
                VECTORS.add(shared.embed(i));
                SCORES.add(shared.score(i));
            }
        }
    }

    @AfterAll
    static void forget() {
        VECTORS.clear();
        SCORES.clear();
    }

    /// The model is fresh: its weights are sent to the device, and memory is first allocated, while
    /// threads compute. Each finished call lets three start, so that some get memory that others have
    /// just released.
    @ParameterizedTest
    @CsvSource({"0,16", "1,16", "2,64", "3,16", "4,16", "5,8"})
    void threadsGetWhatOneThreadGets(String order, int threads) throws Exception {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order);
                Shared shared = Shared.open();
                ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            Semaphore turns = new Semaphore(2);
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int first = t;
                running.add(pool.submit(() -> {
                    turns.acquire();
                    try {
                        check(shared, first % TEXTS.size(), first % 3 == 0);
                    } finally {
                        turns.release(3);
                    }
                    return null;
                }));
            }
            for (Future<?> each : running) {
                finish(each);
            }
        }
    }

    private static void check(Shared shared, int text, boolean score) {
        if (score) {
            assertEquals(SCORES.get(text), shared.score(text));
        } else {
            assertArrayEquals(VECTORS.get(text), shared.embed(text));
        }
    }

    private static void finish(Future<?> running) throws Exception {
        try {
            running.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
