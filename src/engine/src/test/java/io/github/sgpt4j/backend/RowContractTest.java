package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Operations that treat every row by itself.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#plain")
class RowContractTest extends BackendContract {
    private static final List<ElementType> STORED = List.of(ElementType.F32, ElementType.F16, ElementType.BF16);
    private static final float EPSILON = 1e-5f;

    RowContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void downloadsWhatWasUploaded() {
        for (int columns : TestData.SIZES) {
            float[] values = data.normal(3 * columns);
            compare("upload [3, %d]".formatted(columns), Tolerance.EXACT, side -> side.in(values, 3, columns));
        }
    }

    @Test
    void copiesRowsBetweenAndWithinTensors() {
        for (int columns : TestData.SIZES) {
            float[] values = data.normal(7 * columns);
            compare("copy [7, %d]".formatted(columns), Tolerance.EXACT, side -> {
                Tensor out = side.out(7, columns);
                side.backend().copy(side.in(values, 7, columns), out);
                return out;
            });
            compare("copy within [7, %d]".formatted(columns), Tolerance.EXACT, side -> {
                Tensor both = side.inOut(values, 7, columns);
                side.backend().copy(both.slice(4, 2), both.slice(1, 2));
                return both;
            });
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
        for (int rows : new int[] {16, 31, 200}) {
            normalise("", tolerance, norms(65).getFirst(), rows, data.normal(rows * 65));
        }
    }

    @Test
    void normalisesInPlace() {
        for (NormParameters parameters : norms(100)) {
            float[] values = data.normal(300);
            compare("norm in place " + parameters.kind(), side -> {
                Tensor x = side.inOut(values, 3, 100);
                side.backend().norm(x, side.backend().norm(parameters), x);
                return x;
            });
        }
    }

    @Test
    void normalisesRowsFarFromZero() {
        for (int columns : new int[] {64, 384, 769, 3001}) {
            // the mean of 300 is accurate to 300 · 2⁻²⁴ at best, plus some roundings in the sum;
            // Σx²/n − mean² would be off by 300² · 2⁻²⁴
            Tolerance allowed = tolerance.scaled(30);
            normalise(
                    "mean 300",
                    allowed,
                    plain(NormParameters.Kind.LAYER, columns),
                    3,
                    data.normal(3 * columns, 300, 1));
        }
    }

    @Test
    void normalisesRowsOfTinyVariance() {
        for (int columns : new int[] {3, 64, 769}) {
            float[] tiny = data.normal(2 * columns, 0, 1e-4);
            for (NormParameters.Kind kind : NormParameters.Kind.values()) {
                normalise("deviation 1e-4", tolerance, plain(kind, columns), 2, tiny);
                normalise("zeros", tolerance, plain(kind, columns), 2, new float[2 * columns]);
            }
            float[] constant = new float[2 * columns];
            Arrays.fill(constant, 3f);
            // 1/√ε = 316 turns an error of 3 · 2⁻²⁴ in the mean into one of 6e-5
            normalise("constant", tolerance.scaled(10), plain(NormParameters.Kind.LAYER, columns), 2, constant);
        }
    }

    @Test
    void normalisesLargeAndSmallValues() {
        for (NormParameters.Kind kind : NormParameters.Kind.values()) {
            NormParameters parameters = plain(kind, 384);
            normalise("deviation 1e4", tolerance, parameters, 3, data.normal(3 * 384, 0, 1e4));
            float[] outlier = data.normal(3 * 384);
            outlier[400] = 3000f;
            normalise("one outlier", tolerance.scaled(10), parameters, 3, outlier);
        }
    }

    @Test
    void normalisesHeadsWhereTheyLie() {
        for (int headDim : new int[] {1, 3, 8, 16, 24, 64, 80, 128}) {
            for (NormParameters parameters : norms(headDim)) {
                int columns = 5 * headDim + 3;
                float[] values = data.normal(4 * columns);
                compare("headNorm of 3 heads of %d %s".formatted(headDim, parameters.kind()), side -> {
                    Tensor qkv = side.inOut(values, 4, columns);
                    side.backend().headNorm(qkv, headDim + 1, 3, side.backend().norm(parameters));
                    return qkv;
                });
            }
        }
    }

    @Test
    void normalisesChosenRows() {
        for (int columns : new int[] {1, 7, 33, 384}) {
            for (NormParameters parameters : norms(columns)) {
                float[] values = data.normal(9 * columns);
                for (int[] rows : new int[][] {{8}, {0, 1, 2}, {5, 5, 0, 8, 5}, data.integers(23, 9)}) {
                    compare("normRows %s of %d columns".formatted(Arrays.toString(rows), columns), side -> {
                        Tensor out = side.out(rows.length, columns);
                        Norm norm = side.backend().norm(parameters);
                        side.backend().normRows(side.in(values, 9, columns), rows, norm, out);
                        return out;
                    });
                }
            }
        }
    }

    /// The stored gain is the factor of one norm and one less than that of the other.
    @Test
    void normsWithTheSameStoredGainMayTakeItDifferently() {
        WeightTensor gain = weights.vector(data.normal(33));
        float[] values = data.normal(3 * 33);
        for (boolean first : new boolean[] {false, true}) {
            compare("one gain, two norms, from one %s then %s".formatted(first, !first), side -> {
                Tensor x = side.in(values, 3, 33);
                Tensor out = side.out(3, 33);
                for (boolean fromOne : new boolean[] {first, !first}) {
                    Norm norm = side.backend()
                            .norm(new NormParameters(
                                    NormParameters.Kind.RMS,
                                    33,
                                    Optional.of(gain),
                                    Optional.empty(),
                                    EPSILON,
                                    fromOne));
                    side.backend().norm(x, norm, out);
                }
                return out;
            });
        }
    }

    @Test
    void gatesEveryWidthWithEveryActivation() {
        for (Activation activation : Activation.values()) {
            for (int columns : TestData.SIZES) {
                int rows = 1 + data.below(3);
                float[] values = data.normal(rows * 2 * columns, 0, 2);
                compare("gated %s [%d, %d]".formatted(activation, rows, columns), side -> {
                    Tensor out = side.out(rows, columns);
                    side.backend().gatedActivation(side.in(values, rows, 2 * columns), activation, out);
                    return out;
                });
            }
        }
    }

    @Test
    void looksUpEmbeddings() {
        for (ElementType stored : STORED) {
            for (int columns : TestData.SIZES) {
                WeightTensor table = weights.tensor(stored, data.normal(50 * columns), 50, columns);
                int[] ids = data.ids(1 + data.below(20), 50);
                ids[0] = 49;
                ids[ids.length - 1] = 0;
                PackedBatch packed = PackedBatch.of(List.of(ids, new int[] {7, 7, 49}));
                // stored values are widened exactly
                compare("embed %s of %d columns".formatted(stored, columns), Tolerance.EXACT, side -> {
                    Tensor out = side.out(packed.tokens(), columns);
                    side.backend().embed(side.backend().table(table), side.batch(packed), out);
                    return out;
                });
            }
        }
    }

    @Test
    void addsPositionsOfTheWholeSequence() {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        int cached = builder.addCached(4);
        int child = builder.add(new int[3], 0, 3, cached);
        builder.add(new int[9]);
        builder.add(new int[5], 0, 5, child);
        PackedBatch packed = builder.build();
        for (ElementType stored : STORED) {
            for (int columns : new int[] {1, 3, 16, 33, 384, 769}) {
                for (int offset : new int[] {0, 2}) {
                    WeightTensor table = weights.tensor(stored, data.normal(14 * columns), 14, columns);
                    float[] values = data.normal(packed.tokens() * columns);
                    compare("positions %s + %d of %d columns".formatted(stored, offset, columns), side -> {
                        Tensor out = side.inOut(values, packed.tokens(), columns);
                        side.backend().addPositions(side.backend().table(table), offset, side.batch(packed), out);
                        return out;
                    });
                }
            }
        }
    }

    private void normalise(String what, Tolerance allowed, NormParameters parameters, int rows, float[] values) {
        int columns = parameters.columns();
        compare("norm %s [%d, %d] %s".formatted(parameters.kind(), rows, columns, what), allowed, side -> {
            Tensor out = side.out(rows, columns);
            side.backend().norm(side.in(values, rows, columns), side.backend().norm(parameters), out);
            return out;
        });
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
                new NormParameters(NormParameters.Kind.LAYER, columns, gain, bias, EPSILON),
                new NormParameters(NormParameters.Kind.LAYER, columns, halfGain, Optional.empty(), EPSILON),
                new NormParameters(NormParameters.Kind.LAYER, columns, Optional.empty(), bias, 1e-3f),
                new NormParameters(NormParameters.Kind.RMS, columns, gain, Optional.empty(), 1e-6f),
                new NormParameters(NormParameters.Kind.RMS, columns, gain, Optional.empty(), 1e-6f, true),
                new NormParameters(NormParameters.Kind.LAYER, columns, halfGain, bias, EPSILON, true),
                new NormParameters(NormParameters.Kind.RMS, columns, Optional.empty(), Optional.empty(), 1e-6f, true),
                plain(NormParameters.Kind.LAYER, columns),
                plain(NormParameters.Kind.RMS, columns),
                NormParameters.identity(columns));
    }

    private static NormParameters plain(NormParameters.Kind kind, int columns) {
        return new NormParameters(kind, columns, Optional.empty(), Optional.empty(), EPSILON);
    }
}
