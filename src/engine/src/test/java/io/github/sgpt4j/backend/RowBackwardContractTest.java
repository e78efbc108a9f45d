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

/// Gradients of operations that treat every row by itself.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#withInnerTypes")
class RowBackwardContractTest extends BackwardContract {
    private static final float EPSILON = 1e-5f;

    RowBackwardContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void activatesEveryWidthWithEveryActivation() {
        for (Activation activation : Activation.values()) {
            for (int columns : TestData.SIZES) {
                int rows = 1 + data.below(3);
                float[] x = data.normal(rows * columns, 0, 2);
                compare("%s [%d, %d]".formatted(activation, rows, columns), side -> {
                    Tensor out = side.out(rows, columns);
                    backward(side).activate(side.in(x, rows, columns), activation, out);
                    return out;
                });
            }
        }
    }

    @Test
    void derivesEveryWidthWithEveryActivation() {
        for (Activation activation : Activation.values()) {
            for (int columns : TestData.SIZES) {
                derive(activation, 1 + data.below(3), columns);
            }
            derive(activation, 2, 2000);
            derive(activation, 300, 129);
        }
    }

    private void derive(Activation activation, int rows, int columns) {
        float[] x = data.normal(rows * columns, 0, 2);
        float[] dOut = data.normal(rows * columns);
        compare("derivative of %s [%d, %d]".formatted(activation, rows, columns), side -> {
            Tensor d = side.inOut(dOut, rows, columns);
            backward(side).activation(side.in(x, rows, columns), activation, d);
            return d;
        });
    }

    @Test
    void derivativesAreAccurateOverTheWholeRange() {
        int near = 2401;
        float[] far = {
            0f, -0f, 1e-30f, -1e-30f, 1e-9f, -1e-7f, 19.9f, -20.1f, 50f, -50f, 99f, -101f, 200f, -200f, 1e4f, -1e4f
        };
        float[] x = Arrays.copyOf(far, near + far.length);
        for (int i = 0; i < near; i++) {
            x[far.length + i] = (i - near / 2) / 60f;
        }
        float[] ones = new float[x.length];
        Arrays.fill(ones, 1f);
        for (Activation activation : Activation.values()) {
            // one value at a time: a few roundings, no long sum
            compare("derivative of %s at all values".formatted(activation), tolerance.scaled(0.2), side -> {
                Tensor d = side.inOut(ones, 1, ones.length);
                backward(side).activation(side.in(x, 1, x.length), activation, d);
                return d;
            });
        }
    }

    @Test
    void gatesEveryWidthWithEveryActivation() {
        for (Activation activation : Activation.values()) {
            for (int columns : TestData.SIZES) {
                int rows = 1 + data.below(3);
                float[] x = data.normal(rows * 2 * columns, 0, 1.5);
                float[] dOut = data.normal(rows * columns);
                // products of three values of size 1
                compare("gradient of gated %s [%d, %d]".formatted(activation, rows, columns), side -> {
                    Tensor dX = side.out(rows, 2 * columns);
                    Tensor both = side.in(x, rows, 2 * columns);
                    backward(side).gatedActivation(both, activation, side.in(dOut, rows, columns), dX);
                    return dX;
                });
            }
        }
    }

    @Test
    void normalisesEveryWidth() {
        for (int columns : TestData.SIZES) {
            for (NormParameters norm : norms(columns)) {
                int rows = 1 + data.below(4);
                normalise("", tolerance, norm, rows, data.normal(rows * columns));
            }
        }
    }

    @Test
    void normalisesManyRows() {
        for (int rows : new int[] {16, 31, 300}) {
            normalise("", tolerance, norms(65).getFirst(), rows, data.normal(rows * 65));
        }
        for (NormParameters norm : norms(3001)) {
            normalise("wide", tolerance, norm, 2, data.normal(2 * 3001));
        }
    }

    @Test
    void normalisesRowsFarFromZeroAndOfTinyVariance() {
        for (int columns : new int[] {64, 384, 769}) {
            // the mean of 300 is accurate to 300 · 2⁻²⁴ at best
            normalise(
                    "mean 300",
                    tolerance.scaled(30),
                    plain(NormParameters.Kind.LAYER, columns),
                    3,
                    data.normal(3 * columns, 300, 1));
            for (NormParameters.Kind kind : NormParameters.Kind.values()) {
                // gradients are multiplied by up to 1/√ε = 316
                normalise("zeros", tolerance.scaled(300), plain(kind, columns), 2, new float[2 * columns]);
                float[] tiny = data.normal(2 * columns, 0, 1e-4);
                normalise("deviation 1e-4", tolerance.scaled(300), plain(kind, columns), 2, tiny);
                normalise("deviation 100", tolerance, plain(kind, columns), 2, data.normal(2 * columns, 0, 100));
            }
        }
    }

    private void normalise(String what, Tolerance allowed, NormParameters parameters, int rows, float[] x) {
        int columns = parameters.columns();
        float[] dOut = data.normal(rows * columns);
        float[] stream = data.normal(rows * columns);
        String name = "gradient of norm %s [%d, %d] %s".formatted(parameters.kind(), rows, columns, what);
        compare(name, allowed, side -> {
            Tensor dX = side.out(rows, columns);
            Norm norm = side.backend().norm(parameters);
            backward(side).norm(side.in(x, rows, columns), norm, side.in(dOut, rows, columns), false, dX);
            return dX;
        });
        compare(name + " added", allowed, side -> {
            Tensor dX = side.inOut(stream, rows, columns);
            Norm norm = side.backend().norm(parameters);
            backward(side).norm(side.in(x, rows, columns), norm, side.in(dOut, rows, columns), true, dX);
            return dX;
        });
        compare(name + " in place", allowed, side -> {
            Tensor d = side.inOut(dOut, rows, columns);
            backward(side).norm(side.in(x, rows, columns), side.backend().norm(parameters), d, false, d);
            return d;
        });
    }

    @Test
    void normalisesHeadsWhereTheyLie() {
        for (int headDim : new int[] {1, 3, 8, 24, 64, 80, 128}) {
            for (NormParameters parameters : norms(headDim)) {
                int columns = 5 * headDim + 3;
                float[] x = data.normal(4 * columns);
                float[] dOut = data.normal(4 * columns);
                for (int heads : new int[] {0, 1, 3}) {
                    compare("gradient of headNorm, %d of %d %s".formatted(heads, headDim, parameters.kind()), side -> {
                        Tensor d = side.inOut(dOut, 4, columns);
                        Norm norm = side.backend().norm(parameters);
                        backward(side).headNorm(side.in(x, 4, columns), headDim + 1, heads, norm, d);
                        return d;
                    });
                }
            }
        }
    }

    /// Every kind, with and without gain and bias, stored in every type.
    private List<NormParameters> norms(int columns) {
        Optional<WeightTensor> gain =
                Optional.of(weights.tensor(ElementType.F32, data.normal(columns, 1, 0.3), columns));
        Optional<WeightTensor> halfGain =
                Optional.of(weights.tensor(ElementType.F16, data.normal(columns, 1, 0.3), columns));
        Optional<WeightTensor> bias =
                Optional.of(weights.tensor(ElementType.BF16, data.normal(columns, 0, 0.3), columns));
        return List.of(
                // of few values, some are almost equal: their variance must not be all of the deviation
                new NormParameters(NormParameters.Kind.LAYER, columns, gain, bias, 1e-2f),
                new NormParameters(NormParameters.Kind.LAYER, columns, halfGain, Optional.empty(), 1e-2f),
                new NormParameters(NormParameters.Kind.RMS, columns, gain, Optional.empty(), 1e-2f),
                new NormParameters(NormParameters.Kind.RMS, columns, halfGain, Optional.empty(), 1e-2f, true),
                new NormParameters(NormParameters.Kind.RMS, columns, Optional.empty(), Optional.empty(), 1e-2f),
                NormParameters.identity(columns));
    }

    private static NormParameters plain(NormParameters.Kind kind, int columns) {
        return new NormParameters(kind, columns, Optional.empty(), Optional.empty(), EPSILON);
    }
}
