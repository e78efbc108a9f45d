package io.github.sgpt4j.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a training pass takes of a GPU's memory, against what is said of it before.
@Tag("cuda-only")
class PassMemoryTest {
    private static final int TEXTS = 8;
    private static final int LENGTH = 16;

    /// What a device may lose to the rounding of sizes.
    private static final double ROUNDING = 1.0 / 0.75;

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    @ParameterizedTest
    @CsvSource({"gptneo-be, FP32", "gptneo-be, BF16", "gptj-be, BF16", "llama-be, BF16"})
    void aPassTakesWhatItSays(String name, Precision precision) {
        Path folder = Goldens.model(name);
        Predicate<String> trained = name.startsWith("llama") ? _ -> true : tensor -> tensor.contains("bias");
        try (Weights weights = Weights.open(folder);
                CudaBackend backend = new CudaBackend(new CudaOptions(0, precision))) {
            Decoder decoder = Decoder.load(folder, weights, backend);
            try (Gradients gradients = decoder.gradients(trained)) {
                pass(decoder, gradients, 1, 1);
                long before = backend.freeBytes();
                pass(decoder, gradients, TEXTS, LENGTH);
                long taken = before - backend.freeBytes();
                long said = TEXTS * LENGTH * decoder.passBytesPerToken();
                String what = "%,d bytes taken, %,d said".formatted(taken, said);
                assertTrue(taken <= ROUNDING * said, what);
                assertTrue(taken >= 0.6 * said, what);
            }
        }
    }

    private static void pass(Decoder decoder, Gradients gradients, int texts, int length) {
        List<int[]> ids = Collections.nCopies(texts, new int[length]);
        int[] skip = new int[texts];
        try (GradientPass pass = decoder.gradientPass(ids, skip, List.of(PoolMode.MEAN), Cancellation.NEVER)) {
            float[][] embeddings = pass.forward();
            assertEquals(texts, embeddings.length);
            pass.backward(embeddings, gradients);
        }
    }
}
