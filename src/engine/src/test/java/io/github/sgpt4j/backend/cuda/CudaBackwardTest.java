package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.TestWeights;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Training on a GPU, beyond what the contract of all backends says.
@Tag("cuda-only")
class CudaBackwardTest {
    private final TestWeights weights = new TestWeights();
    private int faults;

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    @AfterEach
    void free() {
        weights.close();
    }

    private static CudaBackend open(Precision precision) {
        return new CudaBackend(new CudaOptions(0, precision));
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"FP32", "TF32", "BF16"})
    void trainsWhereGradientsHaveRoom(Precision precision) {
        try (CudaBackend backend = open(precision)) {
            Backward backward = backend.backward().orElseThrow();
            assertSame(backward, backend.backward().orElseThrow());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"FP16", "FP8"})
    void doesNotTrainWhereTheyHaveNone(Precision precision) {
        try (CudaBackend backend = open(precision)) {
            assertEquals(Optional.empty(), backend.backward());
        }
    }

    private static float[] step(Backend backend, int... lengths) {
        try (TrainingStep step = new TrainingStep(backend)) {
            return step.run(lengths);
        }
    }

    @Test
    void aLayerIsThatOfTheReference() {
        int[] lengths = {5, 1, 30};
        try (ReferenceBackend reference = new ReferenceBackend();
                CudaBackend full = open(Precision.FP32);
                CudaBackend narrow = open(Precision.BF16)) {
            float[] expected = step(reference, lengths);
            assertArrayEquals(expected, step(full, lengths), 1e-4f);
            double difference =
                    distance(expected, step(narrow, lengths)) / distance(expected, new float[expected.length]);
            assertTrue(difference < 0.02, "relative error in bfloat16 " + difference);
        }
    }

    private static double distance(float[] a, float[] b) {
        assertEquals(a.length, b.length);
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
            squares += (a[i] - (double) b[i]) * (a[i] - (double) b[i]);
        }
        return Math.sqrt(squares);
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"FP32", "BF16"})
    void givesTheSameBitsAgain(Precision precision) {
        float[] first;
        try (CudaBackend backend = open(precision);
                TrainingStep step = new TrainingStep(backend)) {
            first = step.run(5, 1, 30);
            assertArrayEquals(first, step.run(5, 1, 30));
        }
        for (String order : List.of("1", "2", "5")) {
            try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order);
                    CudaBackend backend = open(precision)) {
                assertArrayEquals(first, step(backend, 5, 1, 30));
            }
        }
    }

    @Test
    void stepsAfterTheFirstAllocateNothing() {
        try (CudaBackend backend = open(Precision.BF16);
                TrainingStep step = new TrainingStep(backend)) {
            step.run(9, 30);
            step.change();
            step.run(9, 30);
            long before = backend.allocations();
            for (int i = 0; i < 3; i++) {
                step.change();
                step.run(9, 30);
            }
            assertEquals(before, backend.allocations());
        }
    }

    /// As if the weights had been like that from the start.
    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"FP32", "BF16"})
    void changedWeightsAreThoseThatCount(Precision precision) {
        float[] expected;
        try (CudaBackend backend = open(precision);
                TrainingStep step = new TrainingStep(backend)) {
            step.overwrite(0.75f);
            expected = step.run(5, 30);
        }
        try (CudaBackend backend = open(precision);
                TrainingStep step = new TrainingStep(backend)) {
            float[] before = step.run(5, 30);
            step.change();
            step.overwrite(100f);
            assertArrayEquals(expected, step.run(5, 30));
            assertFalse(Arrays.equals(before, expected));
        }
    }

    /// Nothing waits: what was called before sees the old values, in whatever order streams run.
    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "2", "3", "7"})
    void aReloadComesAfterWhatWasCalledBefore(String order) {
        WeightTensor weight = weights.tensor(ElementType.F32, filled(64 * 64, 1), 64, 64);
        WeightTensor bias = weights.tensor(ElementType.F32, filled(64, 2), 64);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_ORDER", order);
                CudaBackend backend = open(Precision.BF16);
                Tensor x = backend.upload(filled(3 * 64, 1), 3, 64);
                Tensor old = backend.allocate(3, 64);
                Tensor biased = backend.allocate(3, 64);
                Tensor changed = backend.allocateInner(3, 64)) {
            Backward backward = backend.backward().orElseThrow();
            Linear linear = backend.linear(List.of(MatrixRows.all(weight)), List.of(MatrixRows.all(bias)));
            backend.linear(x, linear, Activation.NONE, old);
            weights.change(bias, filled(64, 3));
            weights.change(weight, filled(64 * 64, 7));
            backward.reloadBias(linear);
            backend.linear(x, linear, Activation.NONE, biased);
            backward.reload(linear);
            backend.linear(x, linear, Activation.NONE, changed);
            weights.change(weight, filled(64 * 64, 9));
            assertArrayEquals(filled(3 * 64, 66), backend.download(old));
            assertArrayEquals(filled(3 * 64, 67), backend.download(biased));
            assertArrayEquals(filled(3 * 64, TestWeights.round(451, ElementType.BF16)), backend.download(changed));
        }
    }

    private static float[] filled(int count, float value) {
        float[] values = new float[count];
        Arrays.fill(values, value);
        return values;
    }

    /// An embedding table that is the output head as well is on the device twice.
    @Test
    void allCopiesOfAWeightAreReloaded() {
        WeightTensor shared = weights.tensor(ElementType.F32, filled(8 * 4, 1), 8, 4);
        try (CudaBackend backend = open(Precision.BF16);
                Batch batch = backend.upload(PackedBatch.of(List.of(new int[] {3})));
                Tensor x = backend.upload(filled(4, 1), 1, 4);
                Tensor row = backend.allocate(1, 4);
                Tensor scores = backend.allocate(1, 8)) {
            Table table = backend.table(shared);
            Linear head = backend.linear(List.of(MatrixRows.all(shared)), List.of());
            backend.embed(table, batch, row);
            backend.linear(x, head, Activation.NONE, scores);
            weights.change(shared, filled(8 * 4, 2));
            backend.backward().orElseThrow().reload(table);
            backend.embed(table, batch, row);
            backend.linear(x, head, Activation.NONE, scores);
            assertArrayEquals(filled(4, 2), backend.download(row));
            assertArrayEquals(filled(8, 8), backend.download(scores));
        }
    }

    /// A step of 1e-4 at 0.2 is a tenth of the distance of neighbours in bfloat16.
    @Test
    void smallStepsOfABiasCountInBfloat16() {
        int rows = 400;
        int columns = 64;
        float[] values = new float[rows * columns];
        Random random = new Random(12);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() / 4;
        }
        float[] weight = new float[columns * columns];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) random.nextGaussian() / 8;
        }
        WeightTensor matrix = weights.tensor(ElementType.F32, weight, columns, columns);
        WeightTensor bias = weights.tensor(ElementType.F32, filled(columns, 0.2f), columns);
        for (Activation activation : List.of(Activation.NONE, Activation.SIGMOID)) {
            weights.change(bias, filled(columns, 0.2f));
            try (CudaBackend backend = open(Precision.BF16);
                    Tensor x = backend.upload(values, rows, columns)) {
                Linear linear = backend.linear(List.of(MatrixRows.all(matrix)), List.of(MatrixRows.all(bias)));
                backend.backward();
                float[] widerBefore = multiply(backend, x, linear, activation, false);
                double slope = activation == Activation.NONE ? 1 : 0.245;
                assertEquals(slope, step(backend, x, linear, activation, bias) / 1e-4, 0.2 * slope);
                float[] wider = multiply(backend, x, linear, activation, false);
                for (int i = 0; i < wider.length && activation == Activation.NONE; i++) {
                    assertEquals(1e-4f, wider[i] - widerBefore[i], 2.5e-7f);
                }
            }
        }
    }

    /// What a step of 1e-4 of the bias does to results in bfloat16, in the mean.
    private double step(CudaBackend backend, Tensor x, Linear linear, Activation activation, WeightTensor bias) {
        float[] before = multiply(backend, x, linear, activation, true);
        weights.change(bias, filled(linear.out(), 0.2001f));
        backend.backward().orElseThrow().reloadBias(linear);
        float[] after = multiply(backend, x, linear, activation, true);
        double sum = 0;
        for (int i = 0; i < before.length; i++) {
            assertEquals(TestWeights.round(after[i], ElementType.BF16), after[i]);
            sum += after[i] - (double) before[i];
        }
        return sum / before.length;
    }

    private static float[] multiply(
            CudaBackend backend, Tensor x, Linear linear, Activation activation, boolean narrow) {
        try (Tensor out =
                narrow ? backend.allocateInner(x.rows(), linear.out()) : backend.allocate(x.rows(), linear.out())) {
            backend.linear(x, linear, activation, out);
            return backend.download(out);
        }
    }

    /// A bias that does not fit bfloat16, alone: it is rounded once, with the result.
    @Test
    void biasesAreRoundedWithTheResult() {
        WeightTensor matrix = weights.tensor(ElementType.F32, filled(16 * 16, 1), 16, 16);
        // Half of the distance of neighbours at 1: rounded by itself it would be lost or twice as large.
        float half = 1f / 256;
        WeightTensor bias = weights.tensor(ElementType.F32, filled(16, 1 + half + half / 8), 16);
        try (CudaBackend backend = open(Precision.BF16);
                Tensor x = backend.upload(filled(16, -half / 4 / 16), 1, 16);
                Tensor out = backend.allocateInner(1, 16);
                Tensor added = backend.allocateInner(1, 16);
                Tensor zero = backend.upload(new float[16], 1, 16)) {
            backend.backward();
            Linear linear = backend.linear(List.of(MatrixRows.all(matrix)), List.of(MatrixRows.all(bias)));
            backend.linear(x, linear, Activation.NONE, out);
            assertArrayEquals(filled(16, 1), backend.download(out));
            backend.copy(zero, added);
            backend.linearAdd(x, linear, added);
            assertArrayEquals(filled(16, 1), backend.download(added));
        }
    }

    @Test
    void sumsAreDownloadedOnceUntilTheyChange() {
        double[] row = new double[3];
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cuMemcpyDtoHAsync:1@3,none:1@" + ++faults);
                CudaBackend backend = open(Precision.FP32);
                Tensor d = backend.upload(new float[] {1, 2, 3, 10, 20, 30}, 2, 3)) {
            Backward backward = backend.backward().orElseThrow();
            try (Sums sums = backward.sums(1, 3)) {
                backward.columnSums(d, sums);
                for (int i = 0; i < 3; i++) {
                    sums.read(0, row);
                    assertArrayEquals(new double[] {11, 22, 33}, row);
                }
                backward.columnSums(d, sums);
                for (int i = 0; i < 3; i++) {
                    sums.read(0, row);
                    assertArrayEquals(new double[] {22, 44, 66}, row);
                }
                sums.clear();
                assertThrows(BackendException.class, () -> sums.read(0, row), "the third download");
                sums.read(0, row);
                assertArrayEquals(new double[3], row);
            }
        }
    }

    /// More floats than are read at a time.
    @Test
    void sumsOfManyRowsAreReadInAnyOrder() {
        int rows = 40_000;
        int columns = 64;
        double[] row = new double[columns];
        try (CudaBackend backend = open(Precision.FP32);
                Batch batch = backend.upload(PackedBatch.of(List.of(new int[] {0, rows - 1, 20_000, 16_383, 16_384})));
                Tensor d = backend.upload(CudaValues.counted(5 * columns), 5, columns)) {
            Backward backward = backend.backward().orElseThrow();
            try (Sums sums = backward.sums(rows, columns)) {
                backward.embeddingSums(batch, d, sums);
                int[] tokens = {1, 4, 0, 2, 3, 1};
                for (int token : tokens) {
                    sums.read(batch.packed().ids()[token], row);
                    for (int c = 0; c < columns; c++) {
                        assertEquals((token * columns + c) % 97, row[c]);
                    }
                }
                sums.read(5, row);
                assertArrayEquals(new double[columns], row);
            }
        }
    }

    /// Activations get what weights leave, whether these have been used or not.
    @Test
    void roomIsWhatWeightsLeave() {
        long gigabyte = 1L << 30;
        assertEquals(60 * gigabyte, CudaBackward.room(80 * gigabyte, 81 * gigabyte));
        assertEquals(80 * gigabyte / 64, CudaBackward.room(80 * gigabyte, -gigabyte));
        WeightTensor large = weights.zeros(ElementType.F32, 20_000, 1024);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_MEMORY", "200000000")) {
            long before;
            try (CudaBackend backend = open(Precision.FP32)) {
                before = backend.backward().orElseThrow().room(0);
            }
            for (boolean used : new boolean[] {false, true}) {
                try (CudaBackend backend = open(Precision.FP32);
                        Batch batch = backend.upload(PackedBatch.of(List.of(new int[1])));
                        Tensor out = backend.allocate(1, 1024)) {
                    Table table = backend.table(large);
                    if (used) {
                        backend.embed(table, batch, out);
                    }
                    long room = backend.backward().orElseThrow().room(0);
                    assertEquals(0.75 * 20_000 * 1024 * 4, before - room, 200e6 / 32);
                    assertTrue(room <= 0.75 * backend.freeBytes());
                }
            }
        }
    }

    /// A training of everything keeps sums as large as the weights.
    @Test
    void sumsTakeRoom() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_MEMORY", "200000000");
                CudaBackend backend = open(Precision.BF16)) {
            Backward backward = backend.backward().orElseThrow();
            long before = backward.room(0);
            try (Sums _ = backward.sums(20_000, 1024)) {
                assertEquals(0.75 * 20_000 * 1024 * 4, before - backward.room(0), 200e6 / 32);
                assertTrue(backward.room(0) <= 0.75 * backend.freeBytes());
            }
        }
    }

    @Test
    void rowsAreGroupedByWhereTheyGo() {
        GradientSums.Groups groups = GradientSums.Groups.of(new int[] {5, 0, 5, 3, 0, 5}, 2);
        assertArrayEquals(new int[] {1, 4, 3, 0, 2, 5}, groups.order());
        assertArrayEquals(new int[] {0, 2, 3, 6}, groups.starts());
        assertArrayEquals(new int[] {2, 5, 7}, groups.targets());
    }

    @Test
    void closedThingsAreRefused() {
        CudaBackend backend = open(Precision.FP32);
        Backward backward = backend.backward().orElseThrow();
        Tensor d = backend.upload(new float[4], 1, 4);
        Sums closed = backward.sums(1, 4);
        Sums sums = backward.sums(1, 4);
        sums.read(0, new double[4]);
        closed.close();
        closed.close();
        assertThrows(IllegalStateException.class, () -> closed.read(0, new double[4]));
        assertThrows(IllegalStateException.class, closed::clear);
        assertThrows(IllegalStateException.class, () -> backward.columnSums(d, closed));
        backend.close();
        assertThrows(IllegalStateException.class, () -> sums.read(0, new double[4]));
        assertThrows(IllegalStateException.class, () -> backward.columnSums(d, sums));
        assertThrows(IllegalStateException.class, () -> backward.sums(1, 4));
        assertThrows(IllegalStateException.class, backend::backward);
        sums.close();
    }

    /// Wherever a call fails, it is told, and the next step on another backend is right.
    @ParameterizedTest
    @CsvSource({
        "cuLaunchKernel,701,20",
        "cuLaunchKernel,701,30",
        "cuLaunchKernel,701,40",
        "cuLaunchKernel,710,45",
        "cuMemAlloc,2,12",
        "cuMemcpyHtoDAsync,710,12",
        "cuMemsetD32Async,1,2",
        "cublasLtMatmul,13,8",
        "cuMemcpyDtoHAsync,710,2"
    })
    void aFailureIsToldAndTheNextStepIsRight(String function, int status, int call) {
        CudaTests.requireStandIn();
        float[] expected;
        try (CudaBackend backend = open(Precision.BF16)) {
            expected = step(backend, 5, 1, 30);
        }
        String fault = "%s:%d@%d,none:1@%d".formatted(function, status, call, ++faults);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", fault);
                CudaBackend backend = open(Precision.BF16)) {
            BackendException e = assertThrows(BackendException.class, () -> step(backend, 5, 1, 30));
            assertTrue(
                    e.getMessage().contains(function) || e.getMessage().contains("out of device memory"),
                    e.getMessage());
        }
        try (CudaBackend backend = open(Precision.BF16)) {
            assertArrayEquals(expected, step(backend, 5, 1, 30));
        }
    }

    /// cuBLASLt may have no product that adds; then there are two steps.
    @Test
    void whatCannotBeAddedInTheProductIsAddedAfterwards() {
        float[] expected = sumOfProducts("");
        assertArrayEquals(
                expected,
                sumOfProducts("cublasLtMatmulAlgoGetHeuristic:15@1,cublasLtMatmulAlgoGetHeuristic:15@2"),
                1e-5f);
        StringBuilder all = new StringBuilder("cublasLtMatmulAlgoGetHeuristic:15@1");
        for (int i = 2; i <= 8; i++) {
            all.append(",cublasLtMatmulAlgoGetHeuristic:15@").append(i);
        }
        BackendException e = assertThrows(BackendException.class, () -> sumOfProducts(all.toString()));
        assertTrue(
                e.getMessage()
                        .endsWith("WEIGHT_GRADIENT of 5 rows and [4, 3] in FP32: CUBLAS_STATUS_NOT_SUPPORTED (15)"),
                e.getMessage());
    }

    private float[] sumOfProducts(String fault) {
        double[] row = new double[3];
        float[] all = new float[12];
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", fault + ",none:1@" + ++faults);
                CudaBackend backend = open(Precision.FP32);
                Tensor x = backend.upload(CudaValues.counted(15), 5, 3);
                Tensor d = backend.upload(CudaValues.counted(20), 5, 4)) {
            Backward backward = backend.backward().orElseThrow();
            try (Sums sums = backward.sums(4, 3)) {
                backward.weightSums(x, d, sums);
                backward.weightSums(x, d, sums);
                for (int r = 0; r < 4; r++) {
                    sums.read(r, row);
                    for (int c = 0; c < 3; c++) {
                        all[3 * r + c] = (float) row[c];
                    }
                }
            }
        }
        assertNotEquals(0, all[11]);
        return all;
    }
}
