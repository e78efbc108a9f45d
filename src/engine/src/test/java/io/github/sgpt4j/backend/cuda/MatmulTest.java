package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.cuda.launch.KeptFiles;
import io.github.sgpt4j.backend.cuda.launch.KernelCache;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.weights.WeightTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which algorithms products are computed by. The stand-in offers some that must not be used, and its algorithms differ
/// in the last bits.
@Tag("cuda-only")
class MatmulTest {
    private static final int ROWS = 5;
    private static final int IN = 1024;
    private static final int OUT = 48;

    /// The algorithm that is offered first takes longer.
    private static final String SLOW = "SGPT_STANDIN_SLOW_PRODUCTS";

    private final Arena arena = Arena.ofConfined();
    private final Random random = new Random(11);
    private final float[] x = normal(ROWS * IN);
    private final float[] wideValues = normal(192 * IN);
    private WeightTensor weight;
    private WeightTensor bias;
    private final List<String> notices = new ArrayList<>();
    private int faults;

    @TempDir
    private Path cache;

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
        weight = tensor(Shape.of(OUT, IN), normal(OUT * IN));
        bias = tensor(Shape.of(OUT), normal(OUT));
    }

    @AfterEach
    void free() {
        arena.close();
    }

    private float[] normal(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            // What bfloat16 keeps, of all magnitudes: sums of products are rounded in 32 bits.
            values[i] = Float.intBitsToFloat(Float.floatToRawIntBits((float) random.nextGaussian()) & 0xffff0000);
        }
        return values;
    }

    private WeightTensor tensor(Shape shape, float[] values) {
        MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
        return new WeightTensor("w", "file", ElementType.F32, shape, data);
    }

    private Linear linear(CudaBackend backend) {
        return backend.linear(List.of(MatrixRows.all(weight)), List.of(MatrixRows.all(bias)));
    }

    /// One product on an open backend.
    private float[] product(CudaBackend backend, Linear linear, Activation activation) {
        try (Tensor in = backend.upload(x, ROWS, IN);
                Tensor out = backend.allocateInner(ROWS, OUT)) {
            backend.linear(in, linear, activation, out);
            return backend.download(out);
        }
    }

    /// A few products on a backend of its own, equal ones.
    private float[] alone(Precision precision) {
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, precision))) {
            Linear linear = linear(backend);
            float[] result = product(backend, linear, Activation.NONE);
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(
                        result, product(backend, linear, Activation.NONE), "within a process nothing changes");
            }
            notices.addAll(backend.notices());
            return result;
        }
    }

    private double exact(int row, int column) {
        double sum = bias.data().getAtIndex(ValueLayout.JAVA_FLOAT, column);
        for (int i = 0; i < IN; i++) {
            sum += (double) x[row * IN + i] * weight.data().getAtIndex(ValueLayout.JAVA_FLOAT, column * IN + i);
        }
        return sum;
    }

    /// Parts of sums that were rounded to the result's type would be off by more, and parts that are added in the order
    /// in which they are ready would differ from run to run.
    @Test
    void sumsAreRoundedOnceAndRepeatable() {
        float[] result = alone(Precision.BF16);
        for (int i = 0; i < result.length; i++) {
            double exact = exact(i / OUT, i % OUT);
            assertEquals(exact, result[i], Math.abs(exact) / 256 + 1e-3, "value " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 8, 15})
    void whatTheHeuristicRefusesIsDoneInAnotherWay(int status) {
        float[] expected = gelu("");
        // For the rounded number of rows, and for this one.
        float[] result =
                gelu("cublasLtMatmulAlgoGetHeuristic:%1$d@1,cublasLtMatmulAlgoGetHeuristic:%1$d@2".formatted(status));
        assertArrayEquals(expected, result, 1e-4f);
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 8, 15})
    void anAlgorithmThatDoesNotSuitIsReplaced(int status) {
        assertArrayEquals(gelu(""), gelu("cublasLtMatmul:%d@1".formatted(status)), 1e-4f);
    }

    private float[] gelu(String fail) {
        // Calls are counted anew only where the faults are other ones.
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", fail + ",none:1@" + ++faults);
                CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32))) {
            return product(backend, linear(backend), Activation.GELU_TANH);
        }
    }

    @Test
    void aProductThatTheLibraryDoesNotHaveIsTold() {
        StringBuilder all = new StringBuilder("none:1@" + ++faults);
        for (int i = 1; i <= 8; i++) {
            all.append(",cublasLtMatmulAlgoGetHeuristic:8@").append(i);
        }
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", all.toString());
                CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32))) {
            Linear linear = linear(backend);
            BackendException e = assertThrows(BackendException.class, () -> product(backend, linear, Activation.NONE));
            assertTrue(e.getMessage().endsWith("[48, 1024] in FP32: CUBLAS_STATUS_ARCH_MISMATCH (8)"), e.getMessage());
        }
    }

    /// Runs with system properties.
    private static <T> T with(Map<String, String> properties, Supplier<T> work) {
        Map<String, String> before = new HashMap<>();
        properties.forEach((key, value) -> before.put(key, String.valueOf(System.getProperty(key))));
        properties.forEach(System::setProperty);
        try {
            return work.get();
        } finally {
            before.forEach((key, value) -> {
                if (value.equals("null")) {
                    System.clearProperty(key);
                } else {
                    System.setProperty(key, value);
                }
            });
        }
    }

    /// On a backend of its own whose files are in [#cache].
    ///
    /// @param seconds for measuring
    private float[] alone(int seconds) {
        Map<String, String> properties =
                Map.of(KernelCache.PROPERTY, cache.toString(), ProductTuning.PROPERTY, Integer.toString(seconds));
        return with(properties, () -> alone(Precision.FP32));
    }

    @Test
    void nothingIsMeasuredUnasked() throws IOException {
        try (var _ = CudaTests.standIn(SLOW, "20")) {
            float[] first = alone(0);
            assertArrayEquals(first, alone(0));
            assertEquals(List.of(), choices());
        }
    }

    @Test
    void whatWasMeasuredTakesEffectInBackendsThatAreOpenedLater() throws IOException {
        try (var _ = CudaTests.standIn(SLOW, "20")) {
            float[] before = alone(0);
            assertArrayEquals(before, alone(30), "while it is open nothing changes");
            assertEquals(1, choices().size());
            float[] after = alone(0);
            assertFalse(Arrays.equals(before, after), "another algorithm, which has other last bits");
            assertArrayEquals(before, after, 1e-3f);
        }
        // Now the other one would be faster: what has been chosen stays.
        byte[] kept = Files.readAllBytes(choices().getFirst());
        float[] later = alone(30);
        assertArrayEquals(kept, Files.readAllBytes(choices().getFirst()));
        assertArrayEquals(later, alone(0));
        assertEquals(List.of(), notices);
    }

    /// Gradients of inputs as well, but not those of weights, which have no weights to be measured with.
    @Test
    void productsOfTrainingAreMeasured() throws IOException {
        Map<String, String> properties = Map.of(KernelCache.PROPERTY, cache.toString(), ProductTuning.PROPERTY, "30");
        try (var _ = CudaTests.standIn(SLOW, "20")) {
            float[] before = with(properties, this::gradients);
            String kept = Files.readString(choices().getFirst(), StandardCharsets.ISO_8859_1);
            assertTrue(kept.contains("INPUT_GRADIENT 6 1024 192 F32 F32 1024"), kept);
            assertFalse(kept.contains("WEIGHT_GRADIENT"), kept);
            float[] after = with(properties, this::gradients);
            assertFalse(Arrays.equals(before, after), "another algorithm, which has other last bits");
            assertArrayEquals(before, after, 1e-3f);
        }
    }

    private float[] gradients() {
        int out = 192;
        WeightTensor wide = tensor(Shape.of(out, IN), wideValues);
        try (CudaBackend backend = new CudaBackend(new CudaOptions(0, Precision.FP32));
                Tensor in = backend.upload(x, ROWS, IN);
                Tensor d = backend.upload(Arrays.copyOf(x, ROWS * out), ROWS, out);
                Tensor dX = backend.allocate(ROWS, IN)) {
            Backward backward = backend.backward().orElseThrow();
            try (Sums sums = backward.sums(out, IN)) {
                backward.linear(d, backend.linear(List.of(MatrixRows.all(wide)), List.of()), false, dX);
                backward.weightSums(in, d, sums);
                backend.synchronize();
            }
            return backend.download(dX);
        }
    }

    @Test
    void choicesAreOfOneArithmetic() throws IOException {
        try (var _ = CudaTests.standIn(SLOW, "20")) {
            alone(30);
            with(
                    Map.of(KernelCache.PROPERTY, cache.toString(), ProductTuning.PROPERTY, "30"),
                    () -> alone(Precision.BF16));
        }
        assertEquals(2, choices().size());
    }

    /// What may have happened to the file.
    enum Damage {
        CUT_SHORT {
            @Override
            void doTo(Path file, byte[] bytes) throws IOException {
                Files.write(file, Arrays.copyOf(bytes, bytes.length - 10));
            }
        },
        CHANGED {
            @Override
            void doTo(Path file, byte[] bytes) throws IOException {
                bytes[bytes.length - 20] ^= 1;
                Files.write(file, bytes);
            }
        },
        EMPTIED {
            @Override
            void doTo(Path file, byte[] bytes) throws IOException {
                Files.write(file, new byte[0]);
            }
        };

        abstract void doTo(Path file, byte[] bytes) throws IOException;
    }

    @ParameterizedTest
    @EnumSource
    void aDamagedFileIsNotUsed(Damage damage) throws IOException {
        try (var _ = CudaTests.standIn(SLOW, "20")) {
            float[] before = alone(30);
            Path file = choices().getFirst();
            damage.doTo(file, Files.readAllBytes(file));
            assertArrayEquals(before, alone(0));
            assertEquals(1, notices.size(), notices::toString);
            assertTrue(
                    notices.getFirst().endsWith("measured products, got a damaged file; it is not used"),
                    notices::toString);
            alone(30);
            assertFalse(Arrays.equals(before, alone(0)), "measured again");
        }
    }

    /// An algorithm that the library does not offer is never run.
    @Test
    void aForgedFileChoosesNothing() throws IOException {
        try (var _ = CudaTests.standIn(SLOW, "20")) {
            float[] before = alone(30);
            Path file = choices().getFirst();
            byte[] bytes = Files.readAllBytes(file);
            String text = new String(bytes, 32, bytes.length - 32, StandardCharsets.US_ASCII);
            forge(file, text.replaceAll("[0-9a-f]{128}", "f".repeat(128)));
            assertArrayEquals(before, alone(0));
            assertEquals(List.of(), notices);
            forge(file, text + "more");
            assertArrayEquals(before, alone(0));
            assertTrue(
                    notices.getFirst().contains("expected a file of measured products, got something else"),
                    notices::toString);
        }
    }

    /// Stores something in a way that all sums are right.
    private void forge(Path file, String text) {
        with(Map.of(KernelCache.PROPERTY, cache.toString()), () -> {
            KernelCache.ofUser()
                    .files(new KeptFiles.Content("x", "x", "x", 1 << 20))
                    .put(file.getFileName().toString(), text.getBytes(StandardCharsets.US_ASCII));
            return true;
        });
    }

    /// A failure while measuring is no failure of the work, which is done.
    @ParameterizedTest
    @ValueSource(strings = {"cuEventElapsedTime:1@1", "cuMemsetD32Async:1@1", "cublasLtMatmul:13@5"})
    void measuringThatFailsChangesNothing(String fault) throws IOException {
        float[] expected = alone(0);
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", fault + ",none:1@" + ++faults)) {
            assertArrayEquals(expected, alone(30));
        }
        assertArrayEquals(expected, alone(0));
        assertEquals(List.of(), choices());
    }

    /// Files of choices; compiled kernels lie beside them.
    private List<Path> choices() throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(cache)) {
            for (Path file : files.toList()) {
                byte[] bytes = Files.readAllBytes(file);
                String text = new String(bytes, StandardCharsets.ISO_8859_1);
                if (text.contains(ProductChoices.FORM)) {
                    found.add(file);
                }
            }
        }
        return found;
    }
}
