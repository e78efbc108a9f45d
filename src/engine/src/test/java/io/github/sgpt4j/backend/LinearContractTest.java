package io.github.sgpt4j.backend;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#withWeightTypes")
class LinearContractTest extends BackendContract {
    private static final List<ElementType> STORED = List.of(ElementType.F32, ElementType.F16, ElementType.BF16);
    private static final int[] FEW_ROWS = {1, 2, 3, 5, 7, 8, 11, 12, 13, 14, 25};
    private static final int[] SMALL = {1, 3, 5, 16, 17, 33, 65};

    LinearContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void multipliesForEveryNumberOfRows() {
        for (int rows = 1; rows <= 40; rows++) {
            multiply(rows, SMALL[(rows + 3) % SMALL.length], SMALL[rows % SMALL.length]);
        }
        for (int rows : new int[] {63, 64, 65, 97, 100, 193, 240, 241, 385, 481}) {
            multiply(rows, 33, 17);
        }
    }

    @Test
    void multipliesForEveryNumberOfOutputs() {
        int i = 0;
        for (int out : TestData.SIZES) {
            multiply(FEW_ROWS[i % FEW_ROWS.length], out, SMALL[i++ % SMALL.length]);
            multiply(1, out, 13);
            multiply(12, out, 7);
        }
    }

    @Test
    void multipliesForEveryNumberOfInputs() {
        int i = 0;
        for (int in : TestData.SIZES) {
            multiply(FEW_ROWS[i % FEW_ROWS.length], SMALL[i++ % SMALL.length], in);
            multiply(1, 17, in);
            multiply(13, 33, in);
        }
    }

    @Test
    void multipliesRandomShapes() {
        for (int i = 0; i < 60; i++) {
            multiply(1 + data.below(80), 1 + data.below(140), 1 + data.below(140));
        }
    }

    @Test
    void multipliesBeyondEveryBlock() {
        for (ElementType stored : STORED) {
            WeightTensor weight = weights.tensor(stored, data.weights(1500, 3000), 1500, 3000);
            for (int rows : stored == ElementType.F32 ? new int[] {1, 14} : new int[] {2}) {
                float[] x = data.normal(rows * 3000);
                compare("linear [%d, 3000] x [1500, 3000] %s".formatted(rows, stored), side -> {
                    Tensor out = side.out(rows, 1500);
                    side.backend().linear(side.in(x, rows, 3000), side.linear(weight), Activation.NONE, out);
                    return out;
                });
            }
        }
        multiply(200, 300, 401);
        multiply(301, 70, 800);
    }

    @Test
    void multipliesEveryStoredTypeWithAndWithoutTransposeAndBias() {
        for (int[] shape : new int[][] {{13, 33, 65}, {3, 100, 17}, {1, 7, 385}, {26, 31, 16}}) {
            for (ElementType stored : STORED) {
                for (boolean transposed : new boolean[] {false, true}) {
                    for (boolean biased : new boolean[] {false, true}) {
                        multiply(shape[0], shape[1], shape[2], stored, transposed, biased, Activation.NONE);
                    }
                }
            }
        }
    }

    @Test
    void appliesEveryActivationAfterTheBias() {
        for (Activation activation : Activation.values()) {
            for (int[] shape : new int[][] {{13, 33, 17}, {1, 5, 3}, {2, 64, 8}, {12, 100, 5}, {14, 40, 800}}) {
                multiply(shape[0], shape[1], shape[2], ElementType.F32, false, true, activation);
                multiply(shape[0], shape[1], shape[2], ElementType.F32, false, false, activation);
            }
        }
    }

    @Test
    void activationsAreAccurateOverTheWholeRange() {
        // used as the weights of a single input of 1
        int near = 2401;
        float[] points = new float[near + 16];
        for (int i = 0; i < near; i++) {
            points[i] = (i - near / 2) / 60f;
        }
        float[] far = {
            0f, -0f, 1e-30f, -1e-30f, 50f, -50f, 90f, -90f, 200f, -200f, 1e4f, -1e4f, 1e20f, -1e20f, 3e38f, -3e38f
        };
        System.arraycopy(far, 0, points, near, far.length);
        if (subject.keptAs().equals(Optional.of(ElementType.F16))) {
            points = Arrays.copyOf(points, near + 12);
        }
        WeightTensor weight = weights.tensor(ElementType.F32, points, points.length, 1);
        for (Activation activation : Activation.values()) {
            // one value at a time: a few roundings, no long sum
            compare(activation + " of all values", tolerance.scaled(0.2), side -> {
                Linear linear = side.linear(weight);
                Tensor out = side.out(1, linear.out());
                side.backend().linear(side.in(new float[] {1}, 1, 1), linear, activation, out);
                return out;
            });
        }
    }

    @Test
    void widensEveryFiniteHalfAndBfloat16Exactly() {
        for (ElementType stored : List.of(ElementType.F16, ElementType.BF16)) {
            WeightTensor weight = weights.everyFinite(stored, subject.keptAs().orElse(stored));
            compare("all values of " + stored, tolerance.relativeOnly(), side -> {
                Linear linear = side.linear(weight);
                Tensor out = side.out(1, linear.out());
                side.backend().linear(side.in(new float[] {1}, 1, 1), linear, Activation.NONE, out);
                return out;
            });
        }
    }

    @Test
    void stacksPartsOfDifferentSizesAndTypes() {
        for (int in : new int[] {1, 16, 33, 100}) {
            WeightTensor query = weights.tensor(ElementType.F32, data.weights(40, in), 40, in);
            WeightTensor key = weights.tensor(ElementType.BF16, data.weights(in, 16), in, 16);
            WeightTensor value = weights.tensor(ElementType.F16, data.weights(13, in), 13, in);
            List<MatrixRows> parts =
                    List.of(MatrixRows.all(query), MatrixRows.allTransposed(key), MatrixRows.all(value));
            List<MatrixRows> biases = List.of(
                    MatrixRows.all(weights.vector(data.normal(40))),
                    MatrixRows.all(weights.tensor(ElementType.F16, data.normal(16), 16)),
                    MatrixRows.all(weights.tensor(ElementType.BF16, data.normal(13), 13)));
            multiply("stacked parts", 14, in, parts, biases, Activation.NONE);
        }
    }

    @Test
    void takesRunsOfRowsPerHead() {
        for (int headDim : new int[] {1, 7, 8, 16, 24}) {
            for (int heads : new int[] {1, 3, 5}) {
                for (boolean transposed : new boolean[] {false, true}) {
                    int in = 19;
                    int out = heads * 3 * headDim;
                    float[] values = data.weights(out, in);
                    WeightTensor fused =
                            weights.tensor(ElementType.F32, values, transposed ? in : out, transposed ? out : in);
                    WeightTensor bias = weights.vector(data.normal(out));
                    multiply(
                            "fused [%d, 3, %d]".formatted(heads, headDim),
                            13,
                            in,
                            perHead(fused, transposed, heads, headDim),
                            perHead(bias, false, heads, headDim),
                            Activation.NONE);
                }
            }
        }
    }

    private static List<MatrixRows> perHead(WeightTensor fused, boolean transposed, int heads, int headDim) {
        int stride = 3 * headDim;
        int count = heads * headDim;
        return List.of(
                new MatrixRows(fused, transposed, 0, headDim, stride, count),
                new MatrixRows(fused, transposed, headDim, headDim, stride, count),
                new MatrixRows(fused, transposed, 2 * headDim, headDim, stride, count));
    }

    @Test
    void addsToTheResidualStream() {
        for (int rows : new int[] {1, 2, 11, 12, 13, 24, 25, 100}) {
            for (int out : new int[] {1, 15, 16, 31, 33, 65, 384}) {
                int in = SMALL[rows % SMALL.length];
                WeightTensor weight = weights.tensor(ElementType.F32, data.weights(out, in), out, in);
                List<MatrixRows> bias =
                        data.flip() ? List.of() : List.of(MatrixRows.all(weights.vector(data.normal(out))));
                float[] x = data.normal(rows * in);
                float[] stream = data.normal(rows * out);
                compare("linearAdd [%d, %d] x [%d, %d]".formatted(rows, in, out, in), side -> {
                    Tensor target = side.inOut(stream, rows, out);
                    Linear linear = side.linear(List.of(MatrixRows.all(weight)), bias);
                    side.backend().linearAdd(side.in(x, rows, in), linear, target);
                    return target;
                });
            }
        }
    }

    @Test
    void addsWithLongSumsInBlocks() {
        for (int in : new int[] {383, 384, 385, 768, 769, 1153}) {
            WeightTensor weight = weights.tensor(ElementType.F32, data.weights(40, in), 40, in);
            float[] x = data.normal(13 * in);
            float[] stream = data.normal(13 * 40);
            compare("linearAdd over %d inputs".formatted(in), side -> {
                Tensor target = side.inOut(stream, 13, 40);
                side.backend().linearAdd(side.in(x, 13, in), side.linear(weight), target);
                return target;
            });
        }
    }

    private void multiply(int rows, int out, int in) {
        ElementType stored = STORED.get(data.below(STORED.size()));
        multiply(rows, out, in, stored, data.flip(), data.flip(), Activation.NONE);
    }

    private void multiply(
            int rows, int out, int in, ElementType stored, boolean transposed, boolean biased, Activation activation) {
        float[] values = data.weights(out, in);
        WeightTensor weight = weights.tensor(stored, values, transposed ? in : out, transposed ? out : in);
        List<MatrixRows> bias =
                biased ? List.of(MatrixRows.all(weights.tensor(stored, data.normal(out), out))) : List.of();
        String what = "%s %s %s".formatted(stored, transposed ? "transposed" : "", biased ? "with bias" : "");
        MatrixRows all = transposed ? MatrixRows.allTransposed(weight) : MatrixRows.all(weight);
        multiply(what, rows, in, List.of(all), bias, activation);
    }

    private void multiply(
            String what, int rows, int in, List<MatrixRows> weight, List<MatrixRows> bias, Activation activation) {
        int out = weight.stream().mapToInt(MatrixRows::count).sum();
        float[] x = data.normal(rows * in);
        compare("linear [%d, %d] x [%d, %d] %s %s".formatted(rows, in, out, in, what, activation), side -> {
            Tensor result = side.out(rows, out);
            side.backend().linear(side.in(x, rows, in), side.linear(weight, bias), activation, result);
            return result;
        });
    }
}
