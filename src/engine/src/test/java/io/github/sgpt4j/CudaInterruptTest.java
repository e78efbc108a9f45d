package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Interrupts of calls that compute on a GPU.
@Tag("cuda-only")
@Timeout(300)
class CudaInterruptTest {
    private static final String MODEL = "gptneo-ce";
    private static final List<String> TEXTS =
            IntStream.range(0, 8).mapToObj(i -> i + " is the moon").toList();

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    private static Model open(String device) {
        return Model.open(
                Goldens.model(MODEL), ModelOptions.DEFAULT.withDevice(device).withDtype(Dtype.FP32));
    }

    @Test
    void aStormOfInterruptsBreaksNothing() throws InterruptedException, ExecutionException {
        try (Model model = open("cuda")) {
            InterruptStorm.run(model, 150);
        }
    }

    @Test
    void aStormOfInterruptsBreaksNothingOnSeveralDevices() throws InterruptedException, ExecutionException {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_DEVICES", "2");
                Model model = open("cuda:0,1")) {
            InterruptStorm.run(model, 50);
        }
    }

    /// Interrupts this thread at every progress report.
    private static void cancelEverywhere(BiEncoder encoder, CrossEncoder scorer) {
        for (long[] at = {1}; at[0] <= TEXTS.size(); at[0] += 2) {
            ProgressListener listener = (done, total) -> {
                if (done >= at[0]) {
                    Thread.currentThread().interrupt();
                }
            };
            assertThrows(CancelledException.class, () -> encoder.embed(TEXTS, TextKind.TEXT, listener));
            assertTrue(Thread.interrupted());
            assertThrows(CancelledException.class, () -> scorer.score(TEXTS, TEXTS, listener));
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void cancelledCallsHoldNoMemory() {
        try (Model model = open("cuda");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(16));
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withBatchTokens(60))) {
            CudaBackend backend = (CudaBackend) model.backend();
            encoder.embed(TEXTS);
            scorer.score(TEXTS, TEXTS, ProgressListener.NONE);
            cancelEverywhere(encoder, scorer);
            long free = backend.freeBytes();
            for (int i = 0; i < 2; i++) {
                cancelEverywhere(encoder, scorer);
                encoder.embed(TEXTS);
                scorer.score(TEXTS, TEXTS, ProgressListener.NONE);
            }
            assertEquals(free, backend.freeBytes());
        }
    }
}
