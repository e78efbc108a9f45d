package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.TestWeights;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// How matrices are held in memory, and the products of each form.
@Tag("vector")
class CpuLinearTest {
    private static final List<ElementType> TYPES = List.of(ElementType.F32, ElementType.BF16, ElementType.F16);

    private final TestWeights weights = new TestWeights();
    private final Workers workers = new Workers(2);
    private final Random random = new Random(11);

    @AfterEach
    void close() {
        workers.close();
        weights.close();
    }

    /// Counts what is allocated from it.
    private static final class CountingArena implements Arena {
        private final Arena arena = Arena.ofShared();
        private final long most;
        private long bytes;

        CountingArena(long most) {
            this.most = most;
        }

        @Override
        public MemorySegment allocate(long byteSize, long byteAlignment) {
            bytes += byteSize;
            if (bytes > most) {
                throw new OutOfMemoryError("no room for " + bytes);
            }
            return arena.allocate(byteSize, byteAlignment);
        }

        @Override
        public MemorySegment.Scope scope() {
            return arena.scope();
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    private static CpuOptions options(Precision format, boolean machineCode) {
        return new CpuOptions(2, format, 0, machineCode);
    }

    private MatrixRows stored(ElementType dtype, float[] values, int out, int in) {
        return MatrixRows.all(weights.tensor(dtype, values, out, in));
    }

    private float[] normal(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /// Bytes of the matrix once it has been used in a product.
    private long held(List<MatrixRows> parts, CpuOptions options) {
        try (CountingArena arena = new CountingArena(Long.MAX_VALUE)) {
            CpuLinear linear = new CpuLinear(parts, List.of(), options, arena, workers);
            multiply(linear, new float[linear.in()]);
            return arena.bytes;
        }
    }

    private static float[] multiply(CpuLinear linear, float[] x) {
        ArrayPool pool = new ArrayPool(0);
        int rows = x.length / linear.in();
        try (CpuTensor in = new CpuTensor(pool, rows, linear.in());
                CpuTensor out = new CpuTensor(pool, rows, linear.out())) {
            System.arraycopy(x, 0, in.data(), 0, x.length);
            linear.apply(in, Activation.NONE, false, out);
            float[] y = new float[rows * linear.out()];
            System.arraycopy(out.data(), 0, y, 0, y.length);
            return y;
        }
    }

    private float[] multiply(List<MatrixRows> parts, CpuOptions options, float[] x) {
        try (Arena arena = Arena.ofShared()) {
            return multiply(new CpuLinear(parts, List.of(), options, arena, workers), x);
        }
    }

    @Test
    void aMatrixTakesAsManyBytesAsItIsSaidTo() {
        for (int[] shape : new int[][] {{1, 1}, {16, 64}, {48, 65}, {70, 300}, {256, 256}, {3, Amx.MAX_FEATURES + 1}}) {
            int out = shape[0];
            int in = shape[1];
            for (ElementType type : TYPES) {
                List<MatrixRows> matrix = List.of(stored(type, new float[out * in], out, in));
                List<MatrixRows> mixed =
                        List.of(matrix.getFirst(), stored(ElementType.F32, new float[in], 1, in), matrix.getFirst());
                for (Precision format : CpuOptions.PRECISIONS) {
                    for (boolean matrixUnit : new boolean[] {false, true}) {
                        CpuOptions options = options(format, matrixUnit);
                        String what = "%s as %s in [%d, %d]".formatted(type, format, out, in);
                        assertEquals(options.matrixBytes(type, in, out), held(matrix, options), what);
                        assertEquals(options.matrixBytes(ElementType.F32, in, 2 * out + 1), held(mixed, options), what);
                    }
                }
            }
        }
    }

    @Test
    void gradientsTakeASecondCopyThatReloadingReuses() {
        int out = 70;
        int in = 300;
        float[] before = normal(out * in);
        float[] after = normal(out * in);
        float[] d = normal(out);
        for (boolean machineCode : new boolean[] {false, true}) {
            CpuOptions options = options(Precision.FP32, machineCode);
            MatrixRows part = stored(ElementType.F32, before, out, in);
            try (CountingArena arena = new CountingArena(Long.MAX_VALUE)) {
                CpuLinear linear = new CpuLinear(List.of(part), List.of(), options, arena, workers);
                linear.reload();
                assertEquals(0, arena.bytes);
                multiply(linear, new float[in]);
                gradient(linear, d);
                long both =
                        options.matrixBytes(ElementType.F32, in, out) + options.matrixBytes(ElementType.F32, out, in);
                assertEquals(both, arena.bytes);
                weights.change(part.tensor(), after);
                linear.reload();
                checkGradient(gradient(linear, d), d, after, in);
                assertEquals(both, arena.bytes);
            }
        }
    }

    private static float[] gradient(CpuLinear linear, float[] d) {
        ArrayPool pool = new ArrayPool(0);
        try (CpuTensor dOut = new CpuTensor(pool, 1, linear.out());
                CpuTensor dX = new CpuTensor(pool, 1, linear.in())) {
            System.arraycopy(d, 0, dOut.data(), 0, d.length);
            linear.gradient(dOut, false, dX);
            return Arrays.copyOf(dX.data(), linear.in());
        }
    }

    private static void checkGradient(float[] actual, float[] d, float[] weight, int in) {
        for (int i = 0; i < in; i++) {
            double exact = 0;
            for (int o = 0; o < d.length; o++) {
                exact += (double) d[o] * weight[o * in + i];
            }
            assertEquals(exact, actual[i], 1e-4);
        }
    }

    @Test
    void withoutEnoughMemoryForGradientsTheMessageSaysSo() {
        List<MatrixRows> matrix = List.of(stored(ElementType.BF16, new float[128 * 128], 128, 128));
        CpuOptions options = options(Precision.BF16, true);
        try (CountingArena arena = new CountingArena(0)) {
            CpuLinear linear = new CpuLinear(matrix, List.of(), options, arena, workers);
            BackendException e = assertThrows(BackendException.class, () -> gradient(linear, new float[128]));
            assertEquals(
                    "cpu: no room for 32,768 bytes of weights, packing tensor %s for its gradient"
                            .formatted(matrix.getFirst().tensor().name()),
                    e.getMessage());
        }
    }

    @Test
    @Tag("amx")
    void theMatrixUnitTakesThreeBytesOfEveryStoredTypeUnlessSixteenBitsAreAskedFor() {
        int size = 512;
        long tiles = 3L * size * size + size / Amx.TILE * Amx.FACT_BYTES;
        for (ElementType type : TYPES) {
            List<MatrixRows> matrix = List.of(stored(type, new float[size * size], size, size));
            assertEquals(tiles, held(matrix, options(Precision.AUTO, true)), type.name());
            assertEquals(tiles, held(matrix, options(Precision.FP32, true)), type.name());
            assertEquals(2L * size * size, held(matrix, options(Precision.BF16, true)), type.name());
            assertEquals(2L * size * size, held(matrix, options(Precision.FP16, true)), type.name());
            assertEquals((long) type.bytes() * size * size, held(matrix, options(Precision.AUTO, false)));
        }
    }

    @Test
    void matricesTooWideForTheMatrixUnitAreHeldAsStored() {
        int in = Amx.MAX_FEATURES + 1;
        for (ElementType type : TYPES) {
            List<MatrixRows> matrix = List.of(stored(type, normal(5 * in), 5, in));
            CpuOptions options = options(Precision.AUTO, true);
            assertEquals(PackedMatrix.bytes(in, 5, type), held(matrix, options));
            float[] x = normal(in);
            assertArrayEquals(multiply(matrix, options(Precision.AUTO, false), x), multiply(matrix, options, x));
        }
    }

    /// 16-bit numbers lose nothing: their products equal those of the same numbers in 32 bits.
    @Test
    @Tag("amx")
    void onTheMatrixUnitSixteenBitWeightsGiveTheResultsOfThirtyTwoBitOnes() {
        int out = 67;
        int in = 300;
        float[] x = normal(19 * in);
        for (ElementType type : List.of(ElementType.BF16, ElementType.F16)) {
            float[] values = normal(out * in);
            for (int i = 0; i < values.length; i++) {
                values[i] = TestWeights.round(values[i], type);
            }
            float[] wide =
                    multiply(List.of(stored(ElementType.F32, values, out, in)), options(Precision.FP32, true), x);
            List<MatrixRows> narrow = List.of(stored(type, values, out, in));
            assertArrayEquals(wide, multiply(narrow, options(Precision.AUTO, true), x), type.name());
            assertArrayEquals(wide, multiply(narrow, options(Precision.FP32, true), x), type.name());
        }
    }

    /// Also in columns whose numbers have all magnitudes from 2⁻¹² to 1.
    @Test
    void everyStoredTypeAndMixturesAreMultipliedAtThePrecisionOfFloats() {
        int in = 1000;
        int rows = 17;
        float[] x = normal(rows * in);
        List<MatrixRows> all = new ArrayList<>();
        List<float[]> numbers = new ArrayList<>();
        for (ElementType type : TYPES) {
            float[] values = normal(40 * in);
            for (int i = 0; i < values.length; i++) {
                values[i] = TestWeights.round(Math.scalb(values[i], -random.nextInt(13)), type);
            }
            MatrixRows part = stored(type, values, 40, in);
            checkAgainstDoubles(type.name(), List.of(part), List.of(values), x, in);
            all.add(part);
            numbers.add(values);
        }
        checkAgainstDoubles("mixed", all, numbers, x, in);
    }

    private void checkAgainstDoubles(String what, List<MatrixRows> parts, List<float[]> values, float[] x, int in) {
        int out = 40 * values.size();
        for (boolean matrixUnit : new boolean[] {true, false}) {
            float[] actual = multiply(parts, options(Precision.AUTO, matrixUnit), x);
            for (int i = 0; i < actual.length; i++) {
                int row = i / out;
                int feature = i % out;
                double exact = 0;
                double squares = 0;
                for (int k = 0; k < in; k++) {
                    double product = (double) values.get(feature / 40)[feature % 40 * in + k] * x[row * in + k];
                    exact += product;
                    squares += product * product;
                }
                // The contract's tolerance for results of size 1; rounding weights to bfloat16
                // would cause a hundred times the error.
                double allowed = 1e-5 * Math.sqrt(squares);
                assertTrue(
                        Math.abs(exact - actual[i]) <= allowed,
                        "%s, matrix unit %s, row %d, feature %d: expected %s, got %s (allowed %s)"
                                .formatted(what, matrixUnit, row, feature, exact, actual[i], allowed));
            }
        }
    }

    /// Compares two paths where there is machine code; elsewhere both are the same.
    @Test
    void machineCodeForVectorUnitsGivesTheBitsOfTheVectorApi() {
        if (options(Precision.FP32, true).usesMatrixUnit()) {
            return;
        }
        for (int[] shape :
                new int[][] {{1, 1, 1}, {5, 33, 17}, {13, 100, 70}, {24, 770, 48}, {25, 1600, 33}, {31, 2048, 70}}) {
            int rows = shape[0];
            int in = shape[1];
            int out = shape[2];
            for (ElementType type : TYPES) {
                List<MatrixRows> matrix = List.of(stored(type, normal(out * in), out, in));
                float[] x = normal(rows * in);
                float[] expected = multiply(matrix, options(Precision.AUTO, false), x);
                float[] actual = multiply(matrix, options(Precision.AUTO, true), x);
                assertArrayEquals(expected, actual, "%d rows, [%d, %d], %s".formatted(rows, out, in, type));
            }
        }
    }

    @Test
    void withoutEnoughMemoryTheMessageNamesASmallerTypeIfThereIsOne() {
        int size = 128;
        for (ElementType type : TYPES) {
            List<MatrixRows> matrix = List.of(stored(type, new float[size * size], size, size));
            for (Precision format : CpuOptions.PRECISIONS) {
                for (boolean matrixUnit : new boolean[] {false, true}) {
                    CpuOptions options = options(format, matrixUnit);
                    long needed = options.matrixBytes(type, size, size);
                    boolean less = needed > PackedMatrix.bytes(size, size, ElementType.BF16);
                    String expected = "cpu: no room for %,d bytes of weights, packing tensor %s%s"
                            .formatted(
                                    needed, matrix.getFirst().tensor().name(), less ? "; dtype bf16 needs less" : "");
                    try (CountingArena arena = new CountingArena(0)) {
                        CpuLinear linear = new CpuLinear(matrix, List.of(), options, arena, workers);
                        BackendException e =
                                assertThrows(BackendException.class, () -> multiply(linear, new float[size]));
                        assertEquals(expected, e.getMessage());
                    }
                }
            }
        }
    }
}
