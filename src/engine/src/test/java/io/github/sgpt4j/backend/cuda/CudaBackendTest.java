package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.cuda.launch.KernelCache;
import io.github.sgpt4j.backend.cuda.launch.KernelSources;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.weights.WeightTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the contract of all backends does not say: memory, overlap, debugging.
@Tag("cuda-only")
class CudaBackendTest {
    private static final int WIDTH = 48;

    /// Refuses the image that the build made, so that kernels are compiled at run time.
    private static final String NO_CODE = "cuModuleLoadDataEx:209@1";

    private final Arena arena = Arena.ofConfined();
    private int faults;

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    @AfterEach
    void free() {
        arena.close();
    }

    private WeightTensor matrix(int rows, int columns) {
        MemorySegment data = arena.allocate(ValueLayout.JAVA_FLOAT, (long) rows * columns);
        for (int i = 0; i < rows * columns; i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i * 37 % 101 - 50) / 100f);
        }
        return new WeightTensor("w", "file", ElementType.F32, Shape.of(rows, columns), data);
    }

    private static float[] counted(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i % 97;
        }
        return values;
    }

    /// One batch through a product, pooling and scores.
    private static float[] pass(Backend backend, Linear linear, int tokens) {
        float[] values = counted(tokens * WIDTH);
        Norm norm = backend.norm(NormParameters.identity(WIDTH));
        SequenceBatch batch = SequenceBatch.of(List.of(new int[tokens], new int[3]));
        try (Tensor x = backend.upload(Arrays.copyOf(values, (tokens + 3) * WIDTH), tokens + 3, WIDTH);
                Tensor inner = backend.allocateInner(tokens + 3, WIDTH);
                Tensor pooled = backend.allocate(2, WIDTH);
                Tensor scores = backend.allocate(tokens + 3, 1)) {
            backend.linear(x, linear, Activation.GELU, inner);
            backend.linearAdd(inner, linear, x);
            backend.logProbabilities(x, linear, new int[tokens + 3], scores);
            backend.pool(x, norm, batch.rows(), new int[2], List.of(PoolMode.MEAN), pooled);
            return backend.download(pooled);
        }
    }

    @Test
    void batchesAfterTheFirstAllocateNothing() {
        for (Precision precision : List.of(Precision.FP32, Precision.BF16, Precision.FP8)) {
            try (CudaBackend backend = new CudaBackend(new CudaOptions(0, precision))) {
                Linear linear = backend.linear(List.of(MatrixRows.all(matrix(WIDTH, WIDTH))), List.of());
                for (int tokens : new int[] {200, 180}) {
                    pass(backend, linear, tokens);
                }
                long before = backend.allocations();
                for (int tokens : new int[] {200, 190, 180, 195, 200}) {
                    pass(backend, linear, tokens);
                }
                assertEquals(before, backend.allocations());
            }
        }
    }

    @Test
    void aDownloadOutlivesItsTensor() {
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32))) {
            float[] values = counted(4000);
            Tensor x = backend.upload(values, 40, 100);
            try (Download download = backend.startDownload(x);
                    Tensor other = reuse(backend, x)) {
                assertEquals(40, other.rows());
                assertArrayEquals(values, download.get());
                assertThrows(IllegalStateException.class, download::get);
            }
            Tensor y = backend.upload(values, 40, 100);
            backend.startDownload(y).close();
            y.close();
        }
    }

    /// Closes a tensor and overwrites what might have been its memory.
    private static Tensor reuse(Backend backend, Tensor x) {
        x.close();
        return backend.upload(new float[4000], 40, 100);
    }

    /// Index arrays come in on a stream of their own; here into memory that queued work still reads. On the stand-in,
    /// which fails where no event orders two streams, whichever it runs first.
    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "2", "3", "4", "5"})
    void newMemoryForIndexArraysWaitsForItsLastUse(String order) {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order);
                CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32));
                Tensor out = backend.allocate(128, 128)) {
            float[] values = counted(128 * 128);
            Tensor x = backend.upload(values, 128, 128);
            backend.copy(x, out);
            x.close();
            long before = backend.allocations();
            try (Batch batch = backend.upload(PackedBatch.of(List.of(new int[100])))) {
                assertEquals(100, batch.packed().tokens());
                assertEquals(before, backend.allocations(), "the batch has the tensor's memory");
                assertArrayEquals(values, backend.download(out));
            }
        }
    }

    @Test
    void tensorsBetweenProductsAreAsNarrowAsTheWeights() {
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.BF16));
                Tensor full = backend.upload(new float[] {1.00390625f, 3f}, 1, 2);
                Tensor narrow = backend.allocateInner(1, 2);
                Tensor wide = backend.allocate(1, 2)) {
            backend.copy(full, narrow);
            assertArrayEquals(new float[] {1f, 3f}, backend.download(narrow));
            backend.copy(full, wide);
            assertArrayEquals(new float[] {1.00390625f, 3f}, backend.download(wide));
        }
    }

    @Test
    void waitingForEachKernelNamesTheOneThatFailed() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuStreamSynchronize:719@2")) {
            try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32, true))) {
                Linear linear = backend.linear(List.of(MatrixRows.all(matrix(WIDTH, WIDTH))), List.of());
                BackendException e = assertThrows(BackendException.class, () -> pass(backend, linear, 5));
                assertTrue(e.getMessage().contains("kernel sgpt_"), e.getMessage());
            }
        }
    }

    @Test
    void damagedKernelsAreCompiledAgainWithANotice(@TempDir Path folder) throws IOException {
        String before = String.valueOf(System.getProperty(KernelCache.PROPERTY));
        System.setProperty(KernelCache.PROPERTY, folder.toString());
        try {
            List<String> notices = new ArrayList<>();
            float[] expected = passAlone(notices);
            assertEquals(List.of(), notices);
            int damaged = 0;
            for (Path file : filesIn(folder)) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length - 1] ^= 1;
                Files.write(file, damaged++ % 2 == 0 ? bytes : Arrays.copyOf(bytes, bytes.length - 1));
            }
            assertArrayEquals(expected, passAlone(notices));
            assertEquals(damaged, notices.size(), notices::toString);
            assertTrue(damaged > 1, "kernels lie in several files");
            notices.clear();
            assertArrayEquals(expected, passAlone(notices));
            assertEquals(List.of(), notices);
        } finally {
            System.setProperty(KernelCache.PROPERTY, before);
        }
    }

    private static List<Path> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    /// On a backend of its own, whose notices are added to others.
    private float[] passAlone(List<String> notices) {
        // Calls are counted anew only where the faults are other ones.
        String fault = KernelSources.compiled().isPresent() ? NO_CODE + ", none:1@" + ++faults : "";
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", fault);
                CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32))) {
            float[] result = pass(backend, backend.linear(List.of(MatrixRows.all(matrix(WIDTH, WIDTH))), List.of()), 5);
            notices.addAll(backend.notices());
            return result;
        }
    }
}
