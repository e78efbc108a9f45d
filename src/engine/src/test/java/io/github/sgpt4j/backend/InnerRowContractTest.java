package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Operations that treat every row by itself, on values between products and in every type of these.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#withInnerTypes")
class InnerRowContractTest extends BackendContract {
    private static final float EPSILON = 1e-5f;

    InnerRowContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void addsNormsOfEveryWidth() {
        for (int columns : TestData.SIZES) {
            for (NormParameters norm : norms(columns)) {
                addNorm(norm, 1 + data.below(4));
            }
        }
        addNorm(norms(65).getFirst(), 200);
        addNorm(norms(5120).getFirst(), 2);
        addNorm(norms(16_400).getLast(), 2);
    }

    private void addNorm(NormParameters parameters, int rows) {
        int columns = parameters.columns();
        float[] x = data.normal(rows * columns);
        float[] stream = data.normal(rows * columns);
        String what = "normAdd %s, from one %s, [%d, %d]"
                .formatted(parameters.kind(), parameters.gainFromOne(), rows, columns);
        compare(what, side -> {
            Tensor out = side.inOut(stream, rows, columns);
            side.backend().normAdd(side.in(x, rows, columns), side.backend().norm(parameters), out);
            return out;
        });
    }

    /// One vector of all heads in OLMo 2.
    @Test
    void normalisesAllHeadsTogether() {
        for (int heads : new int[] {1, 3, 16, 40}) {
            for (NormParameters parameters : norms(heads * 128)) {
                int columns = 2 * heads * 128 + 5;
                float[] values = data.normal(3 * columns);
                compare("headNorm over %d heads of 128 %s".formatted(heads, parameters.kind()), side -> {
                    Tensor qkv = side.innerInOut(values, 3, columns);
                    side.backend().headNorm(qkv, heads * 128, 1, side.backend().norm(parameters));
                    return qkv;
                });
            }
        }
    }

    @Test
    void scalesEmbeddings() {
        for (ElementType stored : List.of(ElementType.F32, ElementType.F16, ElementType.BF16)) {
            for (int columns : TestData.SIZES) {
                WeightTensor table = weights.tensor(stored, rounded(data.normal(50 * columns)), 50, columns);
                PackedBatch packed = PackedBatch.of(List.of(data.ids(1 + data.below(20), 50), new int[] {7, 7, 49}));
                for (float scale : new float[] {1f, 0.125f, 33.94f}) {
                    // values are as large as the scale
                    Tolerance allowed = tolerance.scaled(Math.max(1, scale));
                    compare("embed %s of %d columns times %s".formatted(stored, columns, scale), allowed, side -> {
                        Tensor out = side.out(packed.tokens(), columns);
                        side.backend().embed(side.backend().table(table), side.batch(packed), scale, out);
                        return out;
                    });
                }
            }
        }
    }

    /// As tables are kept.
    private float[] rounded(float[] values) {
        ElementType kept = subject.keptAs().orElse(ElementType.F32);
        for (int i = 0; i < values.length; i++) {
            values[i] = TestWeights.round(values[i], kept);
        }
        return values;
    }

    @Test
    void softmaxOfEverySize() {
        for (int columns : TestData.SIZES) {
            for (int groups : new int[] {1, 3, 8}) {
                softmax(1 + data.below(4), groups, columns, data.flip() ? 1 : 10);
            }
        }
        softmax(2, 8, 512, 3);
        softmax(1, 2, 4096, 3);
        softmax(1, 1, 16_401, 3);
        softmax(100, 5, 33, 3);
    }

    /// @param size deviation of the values, of which 5 is the mean
    private void softmax(int rows, int groups, int columns, double size) {
        float[] values = data.normal(rows * groups * columns, 5, size);
        compare("softmax [%d, %d · %d] of size %s".formatted(rows, groups, columns, size), side -> {
            Tensor x = side.innerInOut(values, rows, groups * columns);
            side.backend().softmax(x, columns);
            return x;
        });
    }

    @Test
    void softmaxOfLargeAndEqualValues() {
        float[] values = new float[2 * 3 * 40];
        Arrays.fill(values, 0, 40, 3e4f);
        Arrays.fill(values, 40, 80, -3e4f);
        for (int i = 80; i < values.length; i++) {
            values[i] = i % 7 * 1000f;
        }
        values[3] = Float.NEGATIVE_INFINITY;
        compare("softmax of large values", side -> {
            Tensor x = side.innerInOut(values, 2, 120);
            side.backend().softmax(x, 40);
            return x;
        });
    }

    private List<NormParameters> norms(int columns) {
        Optional<WeightTensor> gain =
                Optional.of(weights.tensor(ElementType.F32, data.normal(columns, 1, 0.3), columns));
        Optional<WeightTensor> aroundZero =
                Optional.of(weights.tensor(ElementType.BF16, data.normal(columns, 0, 0.3), columns));
        return List.of(
                new NormParameters(NormParameters.Kind.RMS, columns, gain, Optional.empty(), EPSILON),
                new NormParameters(NormParameters.Kind.LAYER, columns, gain, aroundZero, EPSILON),
                new NormParameters(NormParameters.Kind.RMS, columns, aroundZero, Optional.empty(), EPSILON, true));
    }
}
