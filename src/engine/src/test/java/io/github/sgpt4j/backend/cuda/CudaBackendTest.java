package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.TimedBackend;
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
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        return CudaValues.matrix(arena, rows, columns);
    }

    /// One batch through a product, pooling and scores.
    private static float[] pass(Backend backend, Linear linear, int tokens) {
        float[] values = CudaValues.counted(tokens * WIDTH);
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

    /// What is said of a pass's memory has nothing for them.
    @Test
    void whatWorksInPlaceTakesNoMemory() {
        WeightTensor gain = new WeightTensor(
                "gain",
                "file",
                ElementType.F32,
                Shape.of(WIDTH),
                matrix(1, WIDTH).data());
        for (Precision precision : List.of(Precision.FP32, Precision.BF16, Precision.FP8)) {
            try (CudaBackend backend = new CudaBackend(new CudaOptions(0, precision));
                    Batch batch = backend.upload(PackedBatch.of(List.of(new int[70], new int[20])));
                    Tensor stream = backend.upload(CudaValues.counted(90 * WIDTH), 90, WIDTH);
                    Tensor inner = backend.allocateInner(90, WIDTH);
                    Tensor qkv = backend.allocateInner(90, 3 * WIDTH)) {
                Norm norm = backend.norm(new NormParameters(
                        NormParameters.Kind.RMS, WIDTH, Optional.of(gain), Optional.empty(), 1e-6f, true));
                try (Tensor values = backend.upload(CudaValues.counted(90 * 3 * WIDTH), 90, 3 * WIDTH)) {
                    backend.copy(values, qkv);
                }
                backend.norm(stream, norm, inner);
                long before = backend.allocations();
                for (boolean bidirectional : new boolean[] {false, true}) {
                    AttentionParameters attention =
                            new AttentionParameters(3, 3, 16, 0.25f, 30, new float[0], bidirectional, 20f);
                    backend.attention(qkv, batch, attention, inner);
                    backend.softmax(inner, 16);
                    backend.normAdd(inner, norm, stream);
                    backend.headNorm(qkv, WIDTH, 1, norm);
                }
                assertEquals(before, backend.allocations(), precision.toString());
            }
        }
    }

    @Test
    void aDownloadOutlivesItsTensor() {
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32))) {
            float[] values = CudaValues.counted(4000);
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
            float[] values = CudaValues.counted(128 * 128);
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

    /// The index arrays of the next batch get memory that queued work does not use, as long as few batches wait.
    @Test
    void theNextBatchComesInWhileOneIsComputed() {
        int size = 512;
        PackedBatch packed = PackedBatch.of(List.of(new int[100]));
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32));
                Tensor x = backend.upload(CudaValues.counted(size * size), size, size);
                Tensor out = backend.allocate(size, size)) {
            Linear linear = backend.linear(List.of(MatrixRows.all(matrix(size, size))), List.of());
            backend.linear(x, linear, Activation.NONE, out);
            backend.synchronize();
            List<Long> addresses = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                // Some tenths of a second on the stand-in.
                backend.linear(x, linear, Activation.NONE, out);
                addresses.add(uploadAndClose(backend, packed));
            }
            assertNotEquals(addresses.get(0), addresses.get(1), "the second waits for what the first is used by");
            assertEquals(4, addresses.stream().distinct().count(), addresses::toString);
            assertEquals(addresses.get(0), addresses.get(4), "the one that is done first");
            backend.synchronize();
            long before = backend.allocations();
            for (int i = 0; i < 3; i++) {
                assertTrue(addresses.contains(uploadAndClose(backend, packed)), addresses::toString);
                backend.synchronize();
            }
            assertEquals(before, backend.allocations());
        }
    }

    private static long uploadAndClose(CudaBackend backend, PackedBatch packed) {
        try (CudaBatch batch = (CudaBatch) backend.upload(packed)) {
            return batch.address(0);
        }
    }

    /// Rows, starts and tokens to leave out of each sequence arrive together; a second copy fails.
    @Test
    void poolingAndScoresCopyTheirIndexAtOnce() {
        float[] values = CudaValues.counted(20 * WIDTH);
        int[] targets = new int[20];
        float[] expected = poolAndScore(values, targets);
        // After x and the weights.
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuMemcpyHtoDAsync:1@6")) {
            assertArrayEquals(expected, poolAndScore(values, targets));
        }
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuMemcpyHtoDAsync:1@5")) {
            assertThrows(BackendException.class, () -> poolAndScore(values, targets), "the last copy");
        }
    }

    private float[] poolAndScore(float[] values, int[] targets) {
        SequenceBatch batch = SequenceBatch.of(List.of(new int[13], new int[7]));
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32));
                Tensor x = backend.upload(values, 20, WIDTH);
                Tensor rows = backend.allocate(20, WIDTH);
                Tensor pooled = backend.allocate(2, WIDTH);
                Tensor scores = backend.allocate(20, 1)) {
            Linear linear = backend.linear(List.of(MatrixRows.all(matrix(WIDTH, WIDTH))), List.of());
            Norm norm = backend.norm(NormParameters.identity(WIDTH));
            backend.normRows(x, new int[20], norm, rows);
            backend.logProbabilities(rows, linear, targets, scores);
            backend.pool(x, norm, batch.rows(), new int[2], List.of(PoolMode.MEAN), pooled);
            return backend.download(pooled);
        }
    }

    /// A layer has one of two rotations; both come to the device once.
    @Test
    void tablesOfSeveralRotationsStayOnTheDevice() {
        // After the values, the batch, and two tables for each rotation.
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuMemcpyHtoDAsync:1@7")) {
            rotate(List.of(10_000.0, 1e6, 10_000.0, 1e6, 10_000.0));
        }
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuMemcpyHtoDAsync:1@6")) {
            assertThrows(BackendException.class, () -> rotate(List.of(10_000.0, 1e6)), "the last copy");
        }
    }

    private static void rotate(List<Double> bases) {
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32));
                Tensor qkv = backend.upload(CudaValues.counted(20 * 3 * 8), 20, 3 * 8);
                Batch batch = backend.upload(PackedBatch.of(List.of(new int[20])))) {
            for (double base : bases) {
                double[] frequencies = {1, Math.pow(base, -0.25), Math.pow(base, -0.5), Math.pow(base, -0.75)};
                backend.rotary(qkv, batch, new RotaryParameters(1, 1, 8, 8, false, frequencies, 1f));
            }
            assertEquals(480, backend.download(qkv).length);
        }
    }

    /// Random weights lie in the same bytes.
    @Test
    void tensorsOfTheSameBytesHaveCopiesOfTheirOwn() {
        Map<String, long[]> shapes = Map.of("a", new long[] {64, 64}, "b", new long[] {64, 64});
        try (Weights weights = Weights.random(Path.of("random"), shapes, ElementType.F32, 1);
                CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32));
                Tensor x = backend.upload(CudaValues.counted(64), 1, 64);
                Tensor out = backend.allocate(1, 64)) {
            multiply(backend, x, weights.get("a"), out);
            long before = backend.allocations();
            multiply(backend, x, weights.get("b"), out);
            assertEquals(before + 1, backend.allocations());
            multiply(backend, x, weights.get("a"), out);
            multiply(backend, x, weights.get("b"), out);
            assertEquals(before + 1, backend.allocations());
        }
    }

    private static void multiply(Backend backend, Tensor x, WeightTensor weight, Tensor out) {
        backend.linear(x, backend.linear(List.of(MatrixRows.all(weight)), List.of()), Activation.NONE, out);
    }

    /// The second wait for the stream fails; the first one begins.
    @Test
    void operationsAreTimedWithoutWaitingForEach() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuStreamSynchronize:1@2");
                CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32));
                TimedBackend timed = new TimedBackend(backend);
                Tensor x = timed.upload(CudaValues.counted(256 * 256), 256, 256);
                Tensor out = timed.allocate(256, 256)) {
            Linear linear = timed.linear(List.of(MatrixRows.all(matrix(256, 256))), List.of());
            long begin = System.nanoTime();
            timed.start();
            for (int i = 0; i < 3; i++) {
                timed.linear(x, linear, Activation.NONE, out);
                timed.copy(x, out);
            }
            TimedBackend.Times times = timed.stop();
            double passed = (System.nanoTime() - begin) / 1e9;
            assertEquals(3 * 2.0 * 256 * 256 * 256, times.productFlops());
            assertTrue(times.productSeconds() > 0 && times.otherSeconds() > 0, times::toString);
            assertEquals(0, times.attentionSeconds());
            assertTrue(times.productSeconds() + times.otherSeconds() <= passed, () -> times + " in " + passed);
            assertThrows(BackendException.class, timed::synchronize);
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
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuStreamSynchronize:710@2")) {
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
