package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.tensor.ElementType;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Gradients of weights, which are sums over rows. Each operation runs twice on the same sums.
@Tag("vector")
@Tag("cuda")
@ParameterizedClass
@MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#forTraining")
class SumsContractTest extends BackwardContract {
    private static final int[] ROWS = {1, 2, 7, 64, 65, 300};

    SumsContractTest(BackendUnderTest subject) {
        super(subject);
    }

    @Test
    void sumsColumns() {
        int i = 0;
        for (int columns : TestData.SIZES) {
            columnSums(ROWS[i++ % ROWS.length], columns);
        }
        columnSums(2000, 100);
        columnSums(130, 3000);
    }

    private void columnSums(int rows, int columns) {
        float[] d = data.normal(rows * columns);
        compareSums("columns of [%d, %d]".formatted(rows, columns), sumOf(rows), 1, columns, (side, sums) -> {
            backward(side).columnSums(side.in(d, rows, columns), sums);
        });
    }

    @Test
    void sumsGains() {
        int i = 0;
        for (int columns : TestData.SIZES) {
            gainSums(ROWS[i++ % ROWS.length], columns);
        }
        gainSums(1000, 200);
    }

    private void gainSums(int rows, int columns) {
        float[] x = data.normal(rows * columns);
        float[] dOut = data.normal(rows * columns);
        for (NormParameters.Kind kind : List.of(NormParameters.Kind.LAYER, NormParameters.Kind.RMS)) {
            String what = "gains of %s [%d, %d]".formatted(kind, rows, columns);
            compareSums(what, sumOf(rows), 1, columns, (side, sums) -> {
                Norm norm = side.backend().norm(norm(kind, columns));
                backward(side).gainSums(side.in(x, rows, columns), norm, side.in(dOut, rows, columns), sums);
            });
        }
    }

    @Test
    void sumsGainsOfHeads() {
        for (int headDim : new int[] {1, 3, 16, 80}) {
            for (int rows : new int[] {1, 5, 300}) {
                for (int heads : new int[] {0, 1, 3}) {
                    headGainSums(rows, heads, headDim);
                }
            }
        }
    }

    private void headGainSums(int rows, int heads, int headDim) {
        int columns = 5 * headDim + 3;
        float[] qkv = data.normal(rows * columns);
        float[] dOut = data.normal(rows * columns);
        String what = "gains of %d heads of %d in %d rows".formatted(heads, headDim, rows);
        compareSums(what, sumOf(3 * rows), 1, headDim, (side, sums) -> {
            Norm norm = side.backend().norm(norm(NormParameters.Kind.RMS, headDim));
            Tensor in = side.in(qkv, rows, columns);
            backward(side).headGainSums(in, headDim + 1, heads, norm, side.in(dOut, rows, columns), sums);
        });
    }

    @Test
    void sumsWeights() {
        int[] small = {1, 3, 16, 17, 33, 65};
        int i = 0;
        for (int size : TestData.SIZES) {
            weightSums(ROWS[i % ROWS.length], size, small[i % small.length]);
            weightSums(ROWS[(i + 3) % ROWS.length], small[i % small.length], size);
            i++;
        }
        for (int rows = 1; rows < 30; rows++) {
            weightSums(rows, 33, 40);
        }
    }

    @Test
    void sumsWeightsBeyondEveryBlock() {
        weightSums(2100, 100, 70);
        weightSums(30, 500, 5000);
        weightSums(1025, 1, 35);
    }

    private void weightSums(int rows, int out, int in) {
        float[] x = data.normal(rows * in);
        float[] dOut = data.normal(rows * out, 0, 1 / Math.sqrt(rows));
        String what = "weights [%d, %d] from %d rows".formatted(out, in, rows);
        compareSums(what, tolerance.scaled(2), out, in, (side, sums) -> {
            backward(side).weightSums(side.in(x, rows, in), side.in(dOut, rows, out), sums);
        });
    }

    @Test
    void sumsEmbeddings() {
        for (int columns : TestData.SIZES) {
            for (int rows : new int[] {1, 7, 50}) {
                PackedBatch packed = PackedBatch.of(List.of(
                        data.ids(1 + data.below(40), rows), new int[] {rows - 1}, data.ids(1 + data.below(9), rows)));
                float[] d = data.normal(packed.tokens() * columns);
                String what = "embeddings [%d, %d]".formatted(rows, columns);
                compareSums(what, sumOf(packed.tokens()), rows, columns, (side, sums) -> {
                    backward(side).embeddingSums(side.batch(packed), side.in(d, packed.tokens(), columns), sums);
                });
            }
        }
    }

    @Test
    void sumsPositions() {
        PackedBatch packed = TestData.segments(4, 1, 12, 9, 100, 33);
        for (int columns : new int[] {1, 3, 16, 33, 384}) {
            for (int offset : new int[] {0, 2}) {
                float[] d = data.normal(packed.tokens() * columns);
                String what = "positions + %d of %d columns".formatted(offset, columns);
                compareSums(what, sumOf(6), 103, columns, (side, sums) -> {
                    Tensor in = side.in(d, packed.tokens(), columns);
                    backward(side).positionSums(offset, side.batch(packed), in, sums);
                });
            }
        }
    }

    @Test
    void sumsStartAtZeroAndCanBeCleared() {
        for (int rows : new int[] {1, 3}) {
            try (Sums sums = backward.sums(rows, 5);
                    Tensor x = backend.upload(data.normal(10), 2, 5);
                    Tensor dOut = backend.upload(data.normal(2 * rows), 2, rows)) {
                assertEquals(rows, sums.rows());
                assertEquals(5, sums.columns());
                assertArrayEquals(new double[rows * 5], values(sums));
                backward.weightSums(x, dOut, sums);
                double[] once = values(sums);
                sums.clear();
                assertArrayEquals(new double[rows * 5], values(sums));
                backward.weightSums(x, dOut, sums);
                assertArrayEquals(once, values(sums));
            }
        }
    }

    /// Sums of `rows` values of size 1, twice.
    private Tolerance sumOf(int rows) {
        return tolerance.scaled(2 * Math.sqrt(rows));
    }

    private NormParameters norm(NormParameters.Kind kind, int columns) {
        return new NormParameters(
                kind,
                columns,
                Optional.of(weights.tensor(ElementType.F32, data.normal(columns, 1, 0.3), columns)),
                Optional.empty(),
                1e-2f);
    }
}
