package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Weights that the caller has changed are read again. Both sides change the same stored tensors,
/// which are set back before.
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#forTraining")
class ReloadContractTest extends BackwardContract {
    private static final int ROWS = 9;

    ReloadContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void matricesAndBiases() {
        for (int[] shape : new int[][] {{1, 1}, {40, 70}, {300, 33}}) {
            int out = shape[0];
            int in = shape[1];
            for (boolean transposed : new boolean[] {false, true}) {
                WeightTensor matrix = weights.matrix(transposed ? in : out, transposed ? out : in, new float[out * in]);
                WeightTensor vector = weights.vector(new float[out]);
                MatrixRows rows = transposed ? MatrixRows.allTransposed(matrix) : MatrixRows.all(matrix);
                float[] before = rounded(data.weights(out, in));
                float[] after = rounded(data.weights(out, in));
                float[] biasBefore = data.normal(out);
                float[] biasAfter = data.normal(out);
                float[] x = data.normal(ROWS * in);
                float[] d = data.normal(ROWS * out, 0, Math.sqrt(in / (double) out));
                String what = "[%d, %d]%s".formatted(out, in, transposed ? " transposed" : "");
                for (boolean all : new boolean[] {false, true}) {
                    compare("forward after reload " + what, side -> {
                        Linear linear = used(side, rows, vector, before, biasBefore);
                        change(side, linear, all, after, biasAfter);
                        return forward(side, linear, x);
                    });
                    compare("gradient after reload " + what, side -> {
                        Linear linear = used(side, rows, vector, before, biasBefore);
                        change(side, linear, all, after, biasAfter);
                        Tensor dX = side.out(ROWS, in);
                        backward(side).linear(side.in(d, ROWS, out), linear, false, dX);
                        return dX;
                    });
                }
            }
        }
    }

    /// Weights as the backend under test keeps them; changed ones would not pass through a side's rounding.
    private float[] rounded(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = TestWeights.round(values[i], subject.keptAs().orElse(ElementType.F32));
        }
        return values;
    }

    /// A layer that has computed forward and backward, so that everything that is made at first use exists.
    private Linear used(Side side, MatrixRows rows, WeightTensor vector, float[] weight, float[] bias) {
        weights.change(rows.tensor(), weight);
        weights.change(vector, bias);
        Linear linear = side.backend().linear(List.of(rows), List.of(MatrixRows.all(vector)));
        forward(side, linear, new float[ROWS * linear.in()]);
        Tensor dX = side.out(ROWS, linear.in());
        backward(side).linear(side.in(new float[ROWS * linear.out()], ROWS, linear.out()), linear, false, dX);
        return linear;
    }

    private void change(Side side, Linear linear, boolean all, float[] weight, float[] bias) {
        weights.change(linear.biasParts().getFirst().tensor(), bias);
        if (all) {
            weights.change(linear.weightParts().getFirst().tensor(), weight);
            backward(side).reload(linear);
        } else {
            backward(side).reloadBias(linear);
        }
    }

    private static Tensor forward(Side side, Linear linear, float[] x) {
        Tensor out = side.out(ROWS, linear.out());
        side.backend().linear(side.in(x, ROWS, linear.in()), linear, Activation.NONE, out);
        return out;
    }

    @Test
    void stackedBiases() {
        WeightTensor fused = weights.vector(new float[24]);
        List<MatrixRows> bias =
                List.of(new MatrixRows(fused, false, 0, 4, 8, 12), new MatrixRows(fused, false, 4, 4, 8, 12));
        WeightTensor matrix = weights.matrix(24, 3, rounded(data.weights(24, 3)));
        float[] after = data.normal(24);
        float[] x = data.normal(ROWS * 3);
        compare("stacked biases after reload", side -> {
            weights.change(fused, new float[24]);
            Linear linear = side.linear(List.of(MatrixRows.all(matrix)), bias);
            forward(side, linear, x);
            weights.change(fused, after);
            backward(side).reloadBias(linear);
            return forward(side, linear, x);
        });
    }

    @Test
    void norms() {
        for (NormParameters.Kind kind : List.of(NormParameters.Kind.LAYER, NormParameters.Kind.RMS)) {
            norms(kind, false);
            norms(kind, true);
        }
    }

    private void norms(NormParameters.Kind kind, boolean fromOne) {
        WeightTensor gain = weights.vector(new float[37]);
        Optional<WeightTensor> bias =
                kind == NormParameters.Kind.LAYER ? Optional.of(weights.vector(new float[37])) : Optional.empty();
        float[] gainAfter = data.normal(37);
        float[] biasAfter = data.normal(37);
        float[] x = data.normal(ROWS * 37);
        compare("%s norm after reload, from one %s".formatted(kind, fromOne), side -> {
            weights.change(gain, new float[37]);
            bias.ifPresent(stored -> weights.change(stored, new float[37]));
            Norm norm = side.backend().norm(new NormParameters(kind, 37, Optional.of(gain), bias, 1e-5f, fromOne));
            // What is made at first use exists.
            side.backend().norm(side.in(x, ROWS, 37), norm, side.out(ROWS, 37));
            weights.change(gain, gainAfter);
            bias.ifPresent(stored -> weights.change(stored, biasAfter));
            backward(side).reload(norm);
            Tensor out = side.out(ROWS, 37);
            side.backend().norm(side.in(x, ROWS, 37), norm, out);
            return out;
        });
    }

    @Test
    void tables() {
        WeightTensor stored = weights.matrix(5, 17, new float[85]);
        float[] after = rounded(data.normal(85));
        PackedBatch packed = PackedBatch.of(List.of(new int[] {4, 0, 2}));
        compare("table after reload", Tolerance.EXACT, side -> {
            weights.change(stored, new float[85]);
            Table table = side.backend().table(stored);
            weights.change(stored, after);
            backward(side).reload(table);
            Tensor out = side.out(3, 17);
            side.backend().embed(table, side.batch(packed), out);
            return out;
        });
    }
}
