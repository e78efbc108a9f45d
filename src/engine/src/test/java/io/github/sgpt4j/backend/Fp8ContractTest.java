package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Products in 8 bits against the reference, which gets the values that e4m3 and its scales stand for: what remains is
/// rounding to bfloat16. Also what becomes of matrices that have no such product.
@Tag("cuda-only")
class Fp8ContractTest {
    private static final List<ElementType> STORED = List.of(ElementType.F32, ElementType.F16, ElementType.BF16);
    private static final float MAX = 448;

    private final TestData data = new TestData();
    private TestWeights weights;
    private ReferenceBackend reference;

    @BeforeEach
    void open() {
        CudaTests.require();
        weights = new TestWeights();
        reference = new ReferenceBackend();
    }

    @AfterEach
    void close() {
        if (weights != null) {
            reference.close();
            weights.close();
        }
    }

    private static CudaBackend open(Precision precision) {
        return new CudaBackend(new CudaOptions(0, precision));
    }

    /// The values that rows in e4m3 with a scale each stand for.
    private static float[] quantised(float[] values, int rows, int columns) {
        float[] result = new float[values.length];
        for (int r = 0; r < rows; r++) {
            float largest = 0x1p-100f;
            for (int c = 0; c < columns; c++) {
                largest = Math.max(largest, Math.abs(values[r * columns + c]));
            }
            for (int c = 0; c < columns; c++) {
                int i = r * columns + c;
                result[i] = (float) (round(values[i] * (MAX / largest)) * (largest / MAX));
            }
        }
        return result;
    }

    /// The nearest value of e4m3, ties to even.
    private static double round(float value) {
        double step = Math.scalb(1.0, Math.max(Math.getExponent(value), -6) - 3);
        return Math.clamp(Math.rint(value / step) * step, -MAX, MAX);
    }

    private static float[] rounded(float[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = TestWeights.round(values[i], ElementType.BF16);
        }
        return result;
    }

    private static float[] transposed(float[] values, int rows, int columns) {
        float[] result = new float[values.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                result[c * rows + r] = values[r * columns + c];
            }
        }
        return result;
    }

    private static double[] doubles(float[] values) {
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    private static Tensor inner(Backend backend, float[] values, int rows, int columns) {
        Tensor inner = backend.allocateInner(rows, columns);
        try (Tensor full = backend.upload(values, rows, columns)) {
            backend.copy(full, inner);
        }
        return inner;
    }

    /// @param old what is added to, or nothing
    private static float[] multiply(
            Backend backend, Tensor x, Linear linear, Activation activation, Optional<float[]> old, boolean narrow) {
        if (old.isPresent()) {
            try (Tensor out = backend.upload(old.get(), x.rows(), linear.out())) {
                backend.linearAdd(x, linear, out);
                return backend.download(out);
            }
        }
        try (Tensor out =
                narrow ? backend.allocateInner(x.rows(), linear.out()) : backend.allocate(x.rows(), linear.out())) {
            backend.linear(x, linear, activation, out);
            return backend.download(out);
        }
    }

    private void compare(CudaBackend backend, int rows, int in, int out, ElementType stored, Activation activation) {
        boolean transposed = data.flip();
        boolean biased = data.flip();
        boolean narrow = data.flip();
        WeightTensor first = weights.tensor(stored, data.weights(out, in), out, in);
        float[] values = weights.values(first);
        MatrixRows part = transposed
                ? MatrixRows.allTransposed(weights.tensor(stored, transposed(values, out, in), in, out))
                : MatrixRows.all(first);
        MatrixRows exact = MatrixRows.all(weights.matrix(out, in, quantised(values, out, in)));
        List<MatrixRows> bias = biased ? List.of(MatrixRows.all(weights.vector(data.normal(out)))) : List.of();
        boolean add = activation == Activation.NONE && data.flip();
        Optional<float[]> old = add ? Optional.of(data.normal(rows * out)) : Optional.empty();
        float[] x = rounded(data.normal(rows * in));
        try (Tensor input = inner(backend, x, rows, in);
                Tensor right = reference.upload(quantised(x, rows, in), rows, in)) {
            float[] expected =
                    multiply(reference, right, reference.linear(List.of(exact), bias), activation, old, narrow);
            float[] actual = multiply(backend, input, backend.linear(List.of(part), bias), activation, old, narrow);
            String what = "fp8 [%d, %d] x [%d, %d] %s%s%s%s %s"
                    .formatted(
                            rows,
                            in,
                            out,
                            in,
                            stored,
                            transposed ? " transposed" : "",
                            biased ? " + bias" : "",
                            add ? " added" : "",
                            activation);
            Tolerance.BFLOAT16.check(what, doubles(expected), doubles(actual), out);
        }
    }

    @Test
    void multipliesTheValuesThatEightBitsStandFor() {
        int[] sizes = {16, 32, 48, 80, 256, 400, 1040};
        try (CudaBackend backend = open(Precision.FP8)) {
            for (ElementType stored : STORED) {
                for (Activation activation : Activation.values()) {
                    for (int i = 0; i < 3; i++) {
                        int in = sizes[data.below(sizes.length)];
                        int out = sizes[data.below(sizes.length)];
                        compare(backend, 1 + data.below(40), in, out, stored, activation);
                    }
                }
            }
            assertEquals(List.of(), backend.notices());
        }
    }

    @Test
    void isOnAdaAsWell() {
        try (var _ = CudaTests.standIn("SGPT_STANDIN_CC", "89");
                CudaBackend backend = open(Precision.FP8)) {
            compare(backend, 5, 64, 32, ElementType.F32, Activation.GELU_TANH);
        }
    }

    @Test
    void stacksPartsOfSeveralTypesAndRunsOfRows() {
        int in = 48;
        float[] fused = data.weights(96, in);
        WeightTensor heads = weights.tensor(ElementType.F32, fused, 96, in);
        WeightTensor other = weights.tensor(ElementType.F16, data.weights(16, in), 16, in);
        List<MatrixRows> parts = List.of(new MatrixRows(heads, false, 8, 8, 24, 32), MatrixRows.all(other));
        float[] chosen = new float[48 * in];
        for (int row = 0; row < 32; row++) {
            System.arraycopy(fused, (8 + row / 8 * 24 + row % 8) * in, chosen, row * in, in);
        }
        System.arraycopy(weights.values(other), 0, chosen, 32 * in, 16 * in);
        float[] x = data.normal(7 * in);
        try (CudaBackend backend = open(Precision.FP8);
                Tensor input = backend.upload(x, 7, in);
                Tensor right = reference.upload(quantised(x, 7, in), 7, in)) {
            Linear exact = reference.linear(
                    List.of(MatrixRows.all(weights.matrix(48, in, quantised(chosen, 48, in)))), List.of());
            Tolerance.FLOAT32.check(
                    "stacked parts",
                    doubles(multiply(reference, right, exact, Activation.NONE, Optional.empty(), false)),
                    doubles(multiply(
                            backend,
                            input,
                            backend.linear(parts, List.of()),
                            Activation.NONE,
                            Optional.empty(),
                            false)),
                    48);
        }
    }

    /// Powers of two change nothing but exponents, if they stay within a row or an output.
    @Test
    void everyRowAndEveryOutputHasAScaleOfItsOwn() {
        int size = 32;
        float[] row = data.normal(size);
        float[] channel = data.normal(size);
        float[] x = new float[16 * size];
        float[] w = new float[16 * size];
        for (int r = 0; r < 16; r++) {
            for (int i = 0; i < size; i++) {
                x[r * size + i] = Math.scalb(row[i], r - 8);
                w[r * size + i] = Math.scalb(channel[i], 2 * r - 16);
            }
        }
        try (CudaBackend backend = open(Precision.FP8);
                Tensor input = backend.upload(x, 16, size)) {
            Linear linear = backend.linear(List.of(MatrixRows.all(weights.matrix(16, size, w))), List.of());
            float[] out = multiply(backend, input, linear, Activation.NONE, Optional.empty(), false);
            for (int r = 0; r < 16; r++) {
                for (int c = 0; c < 16; c++) {
                    assertEquals(Math.scalb(out[8 * 16 + 8], r - 8 + 2 * (c - 8)), out[r * 16 + c], r + ", " + c);
                }
            }
        }
    }

    /// Kernels that write a whole tensor make its 8 bits at once, those that write a view of it do not.
    @Test
    void eightBitsAreTheSameWhoeverMakesThem() {
        int hidden = 48;
        int rows = 9;
        Linear[] layers = new Linear[4];
        try (CudaBackend backend = open(Precision.FP8)) {
            int[][] shapes = {{64, hidden}, {hidden, 64}, {128, hidden}, {hidden, 64}};
            for (int i = 0; i < shapes.length; i++) {
                WeightTensor w = weights.matrix(shapes[i][0], shapes[i][1], data.weights(shapes[i][0], shapes[i][1]));
                layers[i] = backend.linear(List.of(MatrixRows.all(w)), List.of());
            }
            Norm norm = backend.norm(
                    new NormParameters(NormParameters.Kind.LAYER, hidden, Optional.empty(), Optional.empty(), 1e-5f));
            float[] x = data.normal(rows * hidden, 0.5, 2);
            float[][] results = new float[2][];
            for (boolean whole : new boolean[] {true, false}) {
                try (Tensor residual = backend.upload(x, rows, hidden);
                        Tensor normed = backend.allocateInner(rows, hidden);
                        Tensor inner = backend.allocateInner(rows, 64);
                        Tensor both = backend.allocateInner(rows, 128)) {
                    Tensor toNormed = whole ? normed : normed.slice(0, rows);
                    Tensor toInner = whole ? inner : inner.slice(0, rows);
                    backend.norm(residual, norm, toNormed);
                    backend.linear(toNormed, layers[0], Activation.GELU, toInner);
                    backend.linearAdd(toInner, layers[1], residual);
                    backend.norm(residual, norm, toNormed);
                    backend.linear(toNormed, layers[2], Activation.NONE, both);
                    backend.gatedActivation(both, Activation.SILU, toInner);
                    backend.linearAdd(toInner, layers[3], residual);
                    results[whole ? 0 : 1] = backend.download(residual);
                }
            }
            assertArrayEquals(results[1], results[0]);
        }
    }

    @Test
    void whatIsWrittenAgainIsQuantisedAgain() {
        int size = 32;
        WeightTensor matrix = weights.matrix(size, size, data.weights(size, size));
        float[] old = data.normal(4 * size);
        float[] fresh = data.normal(4 * size);
        try (CudaBackend backend = open(Precision.FP8)) {
            Linear linear = backend.linear(List.of(MatrixRows.all(matrix)), List.of());
            Norm identity = backend.norm(NormParameters.identity(size));
            try (Tensor other = backend.upload(fresh, 4, size);
                    Tensor zeros = backend.upload(new float[4 * size], 4, size);
                    Tensor narrow = inner(backend, fresh, 4, size);
                    Tensor norms = inner(backend, fresh, 4, size);
                    Tensor product = backend.allocateInner(4, size)) {
                float[] expected = multiply(backend, narrow, linear, Activation.NONE, Optional.empty(), false);
                backend.linear(narrow, linear, Activation.RELU, product);
                float[] afterProduct = multiply(backend, product, linear, Activation.NONE, Optional.empty(), false);
                for (String writer : List.of(
                        "copy", "copy to a view", "norm", "normRows", "normAdd", "linear", "linear to a view")) {
                    try (Tensor x = inner(backend, old, 4, size)) {
                        multiply(backend, x, linear, Activation.NONE, Optional.empty(), false);
                        switch (writer) {
                            case "copy" -> backend.copy(other, x);
                            case "copy to a view" -> backend.copy(other, x.slice(0, 4));
                            case "norm" -> backend.norm(other, identity, x);
                            case "normAdd" -> {
                                backend.copy(zeros, x);
                                multiply(backend, x, linear, Activation.NONE, Optional.empty(), false);
                                backend.normAdd(other, identity, x);
                            }
                            case "normRows" -> backend.normRows(norms, new int[] {0, 1, 2, 3}, identity, x);
                            case "linear" -> backend.linear(narrow, linear, Activation.RELU, x);
                            default -> backend.linear(narrow, linear, Activation.RELU, x.slice(0, 4));
                        }
                        assertArrayEquals(
                                writer.startsWith("linear") ? afterProduct : expected,
                                multiply(backend, x, linear, Activation.NONE, Optional.empty(), false),
                                writer);
                    }
                }
            }
        }
    }

    /// One pass through products, and the scores of an output head.
    private static float[] pass(Backend backend, WeightTensor matrix, float[] x, int rows, int size) {
        Linear linear = backend.linear(List.of(MatrixRows.all(matrix)), List.of());
        try (Tensor residual = backend.upload(x, rows, size);
                Tensor inner = backend.allocateInner(rows, size)) {
            backend.linear(residual, linear, Activation.GELU, inner);
            backend.linearAdd(inner, linear, residual);
            return backend.download(residual);
        }
    }

    @Test
    void otherSizesAreMultipliedIn16BitsWithANotice() {
        int size = 40;
        float[] x = data.normal(3 * size);
        WeightTensor matrix = weights.matrix(size, size, data.weights(size, size));
        try (CudaBackend narrow = open(Precision.BF16);
                CudaBackend backend = open(Precision.FP8)) {
            assertArrayEquals(pass(narrow, matrix, x, 3, size), pass(backend, matrix, x, 3, size));
            assertEquals(
                    List.of("cuda:0: matrices of 40 x 40 are multiplied in bf16, since fp8 needs multiples of 16"),
                    backend.notices());
        }
    }

    @Test
    void whatTheLibraryCannotDoIsMultipliedIn16BitsWithANotice() {
        int size = 32;
        float[] x = data.normal(4 * size);
        WeightTensor matrix = weights.matrix(size, size, data.weights(size, size));
        float[] expected;
        try (CudaBackend narrow = open(Precision.BF16);
                Tensor input = narrow.upload(x, 4, size)) {
            Linear linear = narrow.linear(List.of(MatrixRows.all(matrix)), List.of());
            expected = multiply(narrow, input, linear, Activation.NONE, Optional.empty(), false);
        }
        try (var _ = CudaTests.standIn("SGPT_STANDIN_FAIL", "cublasLtMatmulAlgoGetHeuristic:15@1");
                CudaBackend backend = open(Precision.FP8);
                Tensor input = backend.upload(x, 4, size)) {
            Linear linear = backend.linear(List.of(MatrixRows.all(matrix)), List.of());
            assertArrayEquals(expected, multiply(backend, input, linear, Activation.NONE, Optional.empty(), false));
            assertTrue(backend.notices().toString().contains("32 x 32 in fp8"), backend.notices()::toString);
        }
    }

    @Test
    void theOutputHeadStaysIn16Bits() {
        int size = 32;
        WeightTensor head = weights.matrix(160, size, data.weights(160, size));
        float[] x = data.normal(5 * size, 0, 3);
        float[][] scores = new float[2][];
        for (Precision precision : List.of(Precision.BF16, Precision.FP8)) {
            try (CudaBackend backend = open(precision);
                    Tensor input = backend.upload(x, 5, size);
                    Tensor out = backend.allocate(5, 1)) {
                Linear linear = backend.linear(List.of(MatrixRows.all(head)), List.of());
                backend.logProbabilities(input, linear, new int[] {0, 7, 30, 158, 159}, out);
                scores[precision == Precision.FP8 ? 1 : 0] = backend.download(out);
            }
        }
        assertArrayEquals(scores[0], scores[1]);
    }
}
