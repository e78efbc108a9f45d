package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimedBackendTest {
    private static final AttentionParameters ATTENTION = new AttentionParameters(2, 1, 4, 1f, 2, new float[0]);

    @Test
    void countsForwardAndBackwardTogether() {
        try (TestWeights weights = new TestWeights();
                Backend backend = new ReferenceBackend();
                TimedBackend timed = new TimedBackend(backend);
                Batch batch = timed.upload(TestData.segments(3));
                Tensor x = timed.upload(new float[3 * 4], 3, 4);
                Tensor d = timed.upload(new float[3 * 5], 3, 5);
                Tensor qkv = timed.upload(new float[3 * 16], 3, 16);
                Tensor out = timed.upload(new float[3 * 8], 3, 8)) {
            Linear linear = timed.linear(List.of(MatrixRows.all(weights.matrix(5, 4, new float[20]))), List.of());
            Backward backward = timed.backward().orElseThrow();
            timed.start();
            timed.linear(x, linear, Activation.NONE, d);
            backward.linear(d, linear, false, x);
            try (Sums sums = backward.sums(5, 4)) {
                backward.weightSums(x, d, sums);
            }
            timed.attention(qkv, batch, ATTENTION, out);
            backward.attention(qkv, batch, ATTENTION, out, out, qkv);
            backward.activation(x, Activation.GELU, x);
            TimedBackend.Times times = timed.stop();
            assertEquals(3 * 2.0 * 3 * 4 * 5, times.productFlops());
            // queries see 1, 2, 2 keys; two products forward, five backward
            assertEquals((2 + 5) * 2.0 * 5 * 8, times.attentionFlops());
            assertEquals(3.0 * 12 * Float.BYTES, times.otherBytes());
            assertTrue(times.productSeconds() > 0 && times.attentionSeconds() > 0 && times.otherSeconds() > 0);
            backward.linear(d, linear, false, x);
            assertEquals(0, timed.stop().productSeconds());
        }
    }

    @Test
    void trainsOnlyIfTheWrappedBackendDoes() {
        try (Backend backend = new CpuBackend(new CpuOptions(1, Precision.FP16));
                TimedBackend timed = new TimedBackend(backend)) {
            assertTrue(timed.backward().isEmpty());
        }
    }
}
