package io.github.sgpt4j.backend;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Gradients through projections. Weights have the deviation 1/√outputs, so that results are of size 1.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#forTraining")
class LinearBackwardContractTest extends BackwardContract {
    private static final List<ElementType> STORED = List.of(ElementType.F32, ElementType.F16, ElementType.BF16);
    private static final int[] SMALL = {1, 3, 5, 16, 17, 33, 65};

    LinearBackwardContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void multipliesForEveryNumberOfRows() {
        for (int rows = 1; rows <= 30; rows++) {
            multiply(rows, SMALL[(rows + 3) % SMALL.length], SMALL[rows % SMALL.length]);
        }
        for (int rows : new int[] {63, 64, 65, 97, 100, 193, 385}) {
            multiply(rows, 33, 17);
        }
    }

    @Test
    void multipliesForEveryNumberOfOutputsAndInputs() {
        int i = 0;
        for (int size : TestData.SIZES) {
            int rows = 1 + i % 14;
            multiply(rows, size, SMALL[i++ % SMALL.length]);
            multiply(rows, SMALL[i % SMALL.length], size);
        }
    }

    @Test
    void multipliesBeyondEveryBlock() {
        multiply(13, 1700, 600);
        multiply(2, 600, 1700);
        multiply(200, 300, 401);
    }

    @Test
    void multipliesEveryStoredTypeWithAndWithoutTranspose() {
        for (int[] shape : new int[][] {{13, 33, 65}, {3, 100, 17}, {1, 7, 385}, {26, 300, 16}}) {
            for (ElementType stored : STORED) {
                for (boolean transposed : new boolean[] {false, true}) {
                    multiply(shape[0], shape[1], shape[2], stored, transposed);
                }
            }
        }
    }

    @Test
    void readsStackedPartsOfDifferentSizesAndTypes() {
        for (int in : new int[] {1, 16, 33, 100}) {
            WeightTensor query = weights.tensor(ElementType.F32, values(40, in, 69), 40, in);
            WeightTensor key = weights.tensor(ElementType.BF16, values(16, in, 69), in, 16);
            WeightTensor value = weights.tensor(ElementType.F16, values(13, in, 69), 13, in);
            List<MatrixRows> parts =
                    List.of(MatrixRows.all(query), MatrixRows.allTransposed(key), MatrixRows.all(value));
            multiply("stacked parts", 14, in, parts);
        }
    }

    @Test
    void readsManyPartsThatEndAnywhere() {
        int in = 70;
        WeightTensor rows = weights.tensor(ElementType.F32, values(300, in, 600), 300, in);
        WeightTensor columns = weights.tensor(ElementType.BF16, values(300, in, 600), in, 300);
        multiply(
                "parts across blocks",
                13,
                in,
                List.of(
                        MatrixRows.range(rows, false, 7, 250),
                        MatrixRows.range(columns, true, 3, 37),
                        MatrixRows.range(rows, false, 299, 1),
                        MatrixRows.range(columns, true, 0, 281),
                        MatrixRows.range(rows, false, 1, 31)));
    }

    @Test
    void readsRunsOfRowsPerHead() {
        for (int headDim : new int[] {1, 7, 8, 24}) {
            for (boolean transposed : new boolean[] {false, true}) {
                int heads = 5;
                int in = 19;
                int out = heads * 3 * headDim;
                WeightTensor fused = weights.tensor(
                        ElementType.F32, values(out, in, out), transposed ? in : out, transposed ? out : in);
                int stride = 3 * headDim;
                multiply(
                        "fused [%d, 3, %d]".formatted(heads, headDim),
                        13,
                        in,
                        List.of(
                                new MatrixRows(fused, transposed, 0, headDim, stride, heads * headDim),
                                new MatrixRows(fused, transposed, headDim, headDim, stride, heads * headDim),
                                new MatrixRows(fused, transposed, 2 * headDim, headDim, stride, heads * headDim)));
            }
        }
    }

    @Test
    void addsToTheGradientOfTheResidualStream() {
        for (int rows : new int[] {1, 2, 12, 13, 25, 100}) {
            for (int in : new int[] {1, 15, 33, 385}) {
                int out = SMALL[rows % SMALL.length];
                WeightTensor weight = weights.tensor(ElementType.F32, values(out, in, out), out, in);
                float[] dOut = data.normal(rows * out);
                float[] stream = data.normal(rows * in);
                compare("gradient added [%d, %d] x [%d, %d]".formatted(rows, out, out, in), side -> {
                    Tensor dX = side.inOut(stream, rows, in);
                    backward(side).linear(side.in(dOut, rows, out), side.linear(weight), true, dX);
                    return dX;
                });
            }
        }
    }

    @Test
    void forwardAndBackwardUseTheSameHandle() {
        WeightTensor weight = weights.tensor(ElementType.F32, values(48, 20, 48), 48, 20);
        List<MatrixRows> bias = List.of(MatrixRows.all(weights.vector(data.normal(48))));
        float[] x = data.normal(13 * 20);
        compare("forward and backward", tolerance.scaled(10), side -> {
            Linear linear = side.linear(List.of(MatrixRows.all(weight)), bias);
            Tensor out = side.out(13, 48);
            Tensor dX = side.out(13, 20);
            Tensor again = side.out(13, 48);
            side.backend().linear(side.in(x, 13, 20), linear, Activation.NONE, out);
            backward(side).linear(out, linear, false, dX);
            side.backend().linear(dX, linear, Activation.NONE, again);
            return again;
        });
    }

    private float[] values(int out, int in, int outputs) {
        return data.normal(Math.multiplyExact(out, in), 0, 1 / Math.sqrt(outputs));
    }

    private void multiply(int rows, int out, int in) {
        multiply(rows, out, in, STORED.get(data.below(STORED.size())), data.flip());
    }

    private void multiply(int rows, int out, int in, ElementType stored, boolean transposed) {
        WeightTensor weight =
                weights.tensor(stored, values(out, in, out), transposed ? in : out, transposed ? out : in);
        MatrixRows all = transposed ? MatrixRows.allTransposed(weight) : MatrixRows.all(weight);
        multiply(stored + (transposed ? " transposed" : ""), rows, in, List.of(all));
    }

    private void multiply(String what, int rows, int in, List<MatrixRows> weight) {
        int out = weight.stream().mapToInt(MatrixRows::count).sum();
        float[] dOut = data.normal(rows * out);
        compare("gradient of linear [%d, %d] x [%d, %d] %s".formatted(rows, out, out, in, what), side -> {
            Tensor dX = side.out(rows, in);
            backward(side).linear(side.in(dOut, rows, out), side.linear(weight, List.of()), false, dX);
            return dX;
        });
    }
}
