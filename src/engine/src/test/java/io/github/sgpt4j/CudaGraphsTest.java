package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Queries that graphs compute, as a caller of the library sees them.
@Tag("cuda-only")
class CudaGraphsTest {
    /// Of four lengths, so that most are like an earlier one.
    private static final List<String> QUERIES = IntStream.range(0, 12)
            .mapToObj(i -> "spider " + (char) ('a' + i) + " and bread".repeat(i % 4))
            .toList();

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    private static BiEncoder open(Path model, Dtype dtype) {
        return BiEncoder.open(
                model, ModelOptions.DEFAULT.withDevice("cuda").withDtype(dtype), BiEncoderOptions.DEFAULT);
    }

    private static BiEncoder withGraphs(Path model, Dtype dtype) {
        try (var _ = CudaTests.graphs()) {
            return open(model, dtype);
        }
    }

    /// Dense layers over tokens, learnt weights of positions, prompts that are left out, layers after pooling.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "st-token-dense-mean",
                "st-token-dense-two-modes",
                "st-position-weights",
                "st-token-dense-position-weights",
                "st-no-prompt-pooling",
                "st-dense-tanh"
            })
    void everyWayOfPoolingHasTheSameBits(String name) {
        for (Dtype dtype : List.of(Dtype.FP32, Dtype.BF16)) {
            try (BiEncoder plain = open(Variants.model(name), dtype);
                    BiEncoder graphs = withGraphs(Variants.model(name), dtype)) {
                for (String query : QUERIES) {
                    assertArrayEquals(plain.embed(query), graphs.embed(query), query);
                    assertArrayEquals(plain.embedQuery(query), graphs.embedQuery(query), query);
                }
                assertEquals(plain.model().noticesInUse(), graphs.model().noticesInUse());
            }
        }
    }

    /// The model is fresh, so that graphs are recorded while other threads compute, alone and in batches.
    @ParameterizedTest
    @CsvSource({"0,8", "1,8", "2,16", "3,8", "4,8", "5,8"})
    void threadsGetWhatOneThreadGets(String order, int threads) throws Exception {
        float[][] alone;
        float[][] together;
        try (BiEncoder plain = open(Goldens.model("llama-be"), Dtype.FP32)) {
            alone = QUERIES.stream().map(plain::embed).toArray(float[][]::new);
            together = plain.embed(QUERIES);
        }
        try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order);
                BiEncoder graphs = withGraphs(Goldens.model("llama-be"), Dtype.FP32);
                ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < 2 * threads; t++) {
                int first = 5 * t;
                running.add(pool.submit(() -> {
                    for (int i = first; i < first + 4; i++) {
                        int query = i % QUERIES.size();
                        assertArrayEquals(alone[query], graphs.embed(QUERIES.get(query)));
                    }
                    if (first % 3 == 0) {
                        assertArrayEquals(together, graphs.embed(QUERIES));
                    }
                }));
            }
            for (Future<?> each : running) {
                finish(each);
            }
            assertEquals(List.of(), graphs.model().noticesInUse());
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
