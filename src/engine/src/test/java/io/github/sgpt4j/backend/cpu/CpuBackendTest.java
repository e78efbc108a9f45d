package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.error.BackendException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("vector")
class CpuBackendTest {
    private static CpuBackend open(int threads) {
        return new CpuBackend(new CpuOptions(threads, WeightFormat.AS_STORED));
    }

    @Test
    void nothingWorksAfterClosing() {
        CpuBackend backend = open(2);
        Tensor tensor = backend.upload(new float[] {1, 2}, 1, 2);
        backend.close();
        backend.close();
        assertThrows(IllegalStateException.class, () -> backend.allocate(1, 1));
        assertThrows(IllegalStateException.class, () -> backend.download(tensor));
        assertThrows(IllegalStateException.class, backend::synchronize);
        assertThrows(IllegalStateException.class, () -> backend.upload(PackedBatch.of(List.of(new int[] {1}))));
    }

    @Test
    void tensorsBeyondAnArrayAreABackendError() {
        try (CpuBackend backend = open(1)) {
            assertThrows(BackendException.class, () -> backend.allocate(1 << 16, 1 << 16));
            assertThrows(IllegalArgumentException.class, () -> backend.allocate(0, 4));
            assertThrows(IllegalArgumentException.class, () -> backend.upload(new float[3], 2, 2));
        }
    }

    @Test
    void everyThreadWithoutABatchMayHaveOneBesideTheOthers() {
        try (CpuBackend backend = new CpuBackend(new CpuOptions(4, WeightFormat.AS_STORED))) {
            assertEquals(1, backend.batchesSideBySide(1));
            assertEquals(1, backend.batchesSideBySide(511));
            assertEquals(2, backend.batchesSideBySide(512));
            assertEquals(4, backend.batchesSideBySide(4096));
            assertEquals(4, backend.batchesSideBySide(Integer.MAX_VALUE));
            PackedBatch packed = PackedBatch.of(List.of(new int[] {1}));
            Batch first = backend.upload(packed);
            assertEquals(3, backend.batchesSideBySide(4096));
            List<Batch> others = List.of(
                    backend.upload(packed), backend.upload(packed), backend.upload(packed), backend.upload(packed));
            assertEquals(1, backend.batchesSideBySide(4096));
            others.forEach(Batch::close);
            others.forEach(Batch::close);
            assertEquals(3, backend.batchesSideBySide(4096));
            first.close();
            assertEquals(4, backend.batchesSideBySide(4096));
        }
        try (CpuBackend backend = new CpuBackend(new CpuOptions(1, WeightFormat.AS_STORED))) {
            assertEquals(1, backend.batchesSideBySide(4096));
        }
    }

    @Test
    void threadsAreBounded() {
        assertThrows(IllegalArgumentException.class, () -> new CpuOptions(-1, WeightFormat.F32));
        assertThrows(IllegalArgumentException.class, () -> new CpuOptions(5000, WeightFormat.F32));
        try (CpuBackend backend = new CpuBackend(CpuOptions.defaults())) {
            assertTrue(backend.description().contains("-bit vectors"), backend.description());
            assertEquals("cpu", backend.name());
        }
    }

    @Test
    void attentionIsTheSameForAnyNumberOfThreads() {
        List<int[]> sequences = List.of(new int[700], new int[3], new int[65]);
        AttentionParameters parameters = new AttentionParameters(4, 2, 24, 0.2f, 0, new float[0]);
        float[][] results = new float[2][];
        for (int i = 0; i < 2; i++) {
            try (CpuBackend backend = open(1 + 6 * i);
                    Batch batch = backend.upload(PackedBatch.of(sequences))) {
                Random random = new Random(3);
                float[] values = new float[768 * parameters.qkvColumns()];
                for (int v = 0; v < values.length; v++) {
                    values[v] = random.nextFloat() - 0.5f;
                }
                Tensor qkv = backend.upload(values, 768, parameters.qkvColumns());
                Tensor out = backend.allocate(768, 96);
                backend.attention(qkv, batch, parameters, out);
                results[i] = backend.download(out);
            }
        }
        assertArrayEquals(results[0], results[1]);
    }
}
