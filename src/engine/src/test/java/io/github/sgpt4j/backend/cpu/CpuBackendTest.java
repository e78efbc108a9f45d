package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.code.Linux;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.OtherJvm;
import io.github.sgpt4j.weights.WeightTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("vector")
class CpuBackendTest {
    private static CpuBackend open(int threads) {
        return new CpuBackend(new CpuOptions(threads, Precision.AUTO));
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
    void closingWhileProductsAreComputedEndsThemWithAnError() throws InterruptedException {
        int size = 512;
        Shape shape = Shape.of(size, size);
        WeightTensor weight = new WeightTensor(
                "w", "test", ElementType.F32, shape, Arena.global().allocate(4 * shape.elements(), 4));
        for (int round = 0; round < 20; round++) {
            CpuBackend backend = open(2);
            Linear linear = backend.linear(List.of(MatrixRows.all(weight)), List.of());
            Tensor x = backend.upload(new float[64 * size], 64, size);
            Tensor out = backend.allocate(64, size);
            CountDownLatch computing = new CountDownLatch(1);
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread thread = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        backend.linear(x, linear, Activation.NONE, out);
                        computing.countDown();
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            computing.await();
            backend.close();
            thread.join();
            assertInstanceOf(IllegalStateException.class, failure.get());
        }
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
        try (CpuBackend backend = new CpuBackend(new CpuOptions(4, Precision.AUTO))) {
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
        try (CpuBackend backend = new CpuBackend(new CpuOptions(1, Precision.AUTO))) {
            assertEquals(1, backend.batchesSideBySide(4096));
        }
    }

    @Test
    void manyRowsOfManyFeaturesGiveTheResultsOfAFewOfThem() {
        int in = 16_384;
        int out = 40;
        int rows = 540;
        int few = 17;
        Random random = new Random(1);
        float[] x = new float[rows * in];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        Shape shape = Shape.of(out, in);
        try (Arena arena = Arena.ofShared();
                CpuBackend backend = open(2)) {
            MemorySegment values = arena.allocate(4 * shape.elements(), 4);
            for (long i = 0; i < shape.elements(); i++) {
                values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian() / 128);
            }
            WeightTensor weight = new WeightTensor("w", "test", ElementType.F32, shape, values);
            Linear linear = backend.linear(List.of(MatrixRows.all(weight)), List.of());
            int[] targets = random.ints(rows, 0, out).toArray();
            Tensor products = backend.allocate(rows, out);
            Tensor scores = backend.allocate(rows, 1);
            Tensor all = backend.upload(x, rows, in);
            backend.linear(all, linear, Activation.GELU_TANH, products);
            backend.logProbabilities(all, linear, targets, scores);
            for (int first : new int[] {0, 500, 512, 523}) {
                float[] some = Arrays.copyOfRange(x, first * in, (first + few) * in);
                Tensor part = backend.upload(some, few, in);
                Tensor result = backend.allocate(few, out);
                backend.linear(part, linear, Activation.GELU_TANH, result);
                assertArrayEquals(
                        Arrays.copyOfRange(backend.download(products), first * out, (first + few) * out),
                        backend.download(result));
                Tensor score = backend.allocate(few, 1);
                backend.logProbabilities(part, linear, Arrays.copyOfRange(targets, first, first + few), score);
                assertArrayEquals(
                        Arrays.copyOfRange(backend.download(scores), first, first + few), backend.download(score));
            }
        }
    }

    @Test
    void whyThereIsNoAmxIsToldOnLinuxOfX86() {
        Optional<String> problem = Linux.isHere() ? Amx.problem() : Optional.empty();
        try (CpuBackend backend = new CpuBackend(CpuOptions.of(Precision.AUTO))) {
            String told = problem.map(reason -> ", no AMX (" + reason + ")").orElse(", ");
            assertTrue(backend.description().contains(told), backend.description());
            assertEquals(problem.isPresent(), backend.description().contains("no AMX"), backend.description());
        }
    }

    @Test
    void trainsWithWeightsOfEveryTypeButHalfPrecision() {
        for (Precision weights : CpuOptions.PRECISIONS) {
            try (CpuBackend backend = new CpuBackend(new CpuOptions(1, weights))) {
                assertEquals(weights != Precision.FP16, backend.backward().isPresent(), weights.name());
            }
        }
    }

    @Test
    void threadsAreBounded() {
        assertThrows(IllegalArgumentException.class, () -> new CpuOptions(0, Precision.FP32));
        assertThrows(IllegalArgumentException.class, () -> new CpuOptions(5000, Precision.FP32));
        try (CpuBackend backend = new CpuBackend(CpuOptions.of(Precision.AUTO))) {
            assertTrue(backend.description().contains("-bit vectors"), backend.description());
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

    private static float[] attend(CpuBackend backend, PackedBatch packed, AttentionParameters parameters, float[] qkv) {
        try (Batch batch = backend.upload(packed);
                Tensor in = backend.upload(qkv, packed.rows(), parameters.qkvColumns());
                Tensor out = backend.allocate(packed.tokens(), parameters.heads() * parameters.headDim())) {
            backend.attention(in, batch, parameters, out);
            return backend.download(out);
        }
    }

    @Test
    void attentionIsTheSameWhereverASequenceIsCutIntoSegments() {
        int tokens = 430;
        for (int window : new int[] {0, 100, 256}) {
            AttentionParameters parameters =
                    new AttentionParameters(4, 2, 24, 0.2f, window, new float[] {0.1f, 0.2f, 0.05f, 0.3f});
            Random random = new Random(5);
            float[] qkv = new float[tokens * parameters.qkvColumns()];
            for (int v = 0; v < qkv.length; v++) {
                qkv[v] = random.nextFloat() - 0.5f;
            }
            try (CpuBackend backend = open(3)) {
                float[] whole = attend(backend, PackedBatch.of(List.of(new int[tokens])), parameters, qkv);
                for (int[] cuts :
                        new int[][] {{192}, {1}, {429}, {64, 65, 300}, {100, 192, 384}, {191, 193, 385, 420}}) {
                    PackedBatchBuilder builder = new PackedBatchBuilder();
                    int parent = PackedBatch.NO_PARENT;
                    int from = 0;
                    for (int cut : cuts) {
                        parent = builder.add(new int[tokens], from, cut, parent);
                        from = cut;
                    }
                    builder.add(new int[tokens], from, tokens, parent);
                    assertArrayEquals(whole, attend(backend, builder.build(), parameters, qkv), Arrays.toString(cuts));
                }
            }
        }
    }

    @Test
    void sequencesThatShareAPrefixGetTheAttentionOfEachAlone() {
        AttentionParameters parameters = new AttentionParameters(2, 2, 16, 0.3f, 0, new float[0]);
        int columns = parameters.qkvColumns();
        int[] lengths = {250, 40, 200, 1, 30};
        int[] parents = {PackedBatch.NO_PARENT, 0, 0, 2, 0};
        PackedBatchBuilder builder = new PackedBatchBuilder();
        for (int s = 0; s < lengths.length; s++) {
            builder.add(new int[lengths[s]], 0, lengths[s], parents[s]);
        }
        PackedBatch tree = builder.build();
        Random random = new Random(6);
        float[] qkv = new float[tree.rows() * columns];
        for (int v = 0; v < qkv.length; v++) {
            qkv[v] = random.nextFloat() - 0.5f;
        }
        try (CpuBackend backend = open(2)) {
            float[] shared = attend(backend, tree, parameters, qkv);
            for (int s = 0; s < lengths.length; s++) {
                float[] alone = new float[(tree.depth(s) + lengths[s]) * columns];
                for (int a = s; a != PackedBatch.NO_PARENT; a = parents[a]) {
                    System.arraycopy(
                            qkv, tree.start(a) * columns, alone, tree.depth(a) * columns, lengths[a] * columns);
                }
                float[] all =
                        attend(backend, PackedBatch.of(List.of(new int[alone.length / columns])), parameters, alone);
                assertArrayEquals(
                        Arrays.copyOfRange(all, tree.depth(s) * 32, all.length),
                        Arrays.copyOfRange(shared, tree.start(s) * 32, (tree.start(s) + lengths[s]) * 32),
                        "segment " + s);
            }
        }
    }

    @Test
    void withoutPermissionForNativeCallsNoneIsMade() throws IOException {
        String description = OtherJvm.run(PrintBackend.class, "--illegal-native-access=deny");
        assertTrue(description.contains("-bit vectors"), description);
        assertFalse(description.contains("Exception"), description);
        assertFalse(
                Pattern.compile(", (AVX\\S+ code|AMX),").matcher(description).find(), description);
    }

    /// Prints what a separate virtual machine computes with.
    static final class PrintBackend {
        private PrintBackend() {}

        public static void main(String[] arguments) {
            try (CpuBackend backend = new CpuBackend(CpuOptions.of(Precision.AUTO))) {
                System.out.println(backend.description());
            }
        }
    }
}
