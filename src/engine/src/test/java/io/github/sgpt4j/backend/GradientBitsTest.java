package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Gradients and sums have the same bits for any number of threads.
@Tag("vector")
class GradientBitsTest {
    private static final int HIDDEN = 95;
    private static final int FEATURES = 301;

    private final TestWeights weights = new TestWeights();

    @AfterEach
    void close() {
        weights.close();
    }

    @ParameterizedTest
    @MethodSource("io.github.sgpt4j.backend.BackendsUnderTest#sameGradients")
    void threadsDoNotChangeBits(List<BackendUnderTest> alike) {
        for (int[] lengths : new int[][] {{1}, {37}, {100, 7, 200, 1, 64, 33}, {1500}}) {
            List<double[]> expected = run(alike.getFirst(), lengths);
            for (BackendUnderTest other : alike) {
                List<double[]> actual = run(other, lengths);
                for (int i = 0; i < expected.size(); i++) {
                    assertArrayEquals(expected.get(i), actual.get(i), "%s, result %d".formatted(other.name(), i));
                }
            }
        }
    }

    private List<double[]> run(BackendUnderTest subject, int[] lengths) {
        TestData data = new TestData();
        List<double[]> results = new ArrayList<>();
        try (Backend backend = subject.open().get();
                Side side = new Side(backend, data, weight -> weight, Optional.empty())) {
            Backward backward = BackwardContract.backward(side);
            PackedBatch packed = TestData.segments(lengths);
            SequenceRows sequences =
                    SequenceRows.of(packed, IntStream.range(0, lengths.length).toArray());
            int rows = packed.tokens();
            Tensor x = backend.upload(data.normal(rows * HIDDEN), rows, HIDDEN);
            Tensor d = backend.upload(data.normal(rows * FEATURES), rows, FEATURES);
            Tensor dOut = backend.upload(data.normal(lengths.length * 2 * HIDDEN), lengths.length, 2 * HIDDEN);
            Tensor dX = backend.allocate(rows, HIDDEN);
            Tensor dNormed = backend.allocate(rows, HIDDEN);
            Linear linear = side.linear(weights.matrix(FEATURES, HIDDEN, data.weights(FEATURES, HIDDEN)));
            Norm norm = backend.norm(
                    new NormParameters(NormParameters.Kind.LAYER, HIDDEN, Optional.empty(), Optional.empty(), 1e-5f));
            backward.linear(d, linear, false, dX);
            results.add(side.values(dX));
            backward.pool(
                    x, norm, sequences, new int[lengths.length], List.of(PoolMode.MAX, PoolMode.MEAN), dOut, dNormed);
            results.add(side.values(dNormed));
            backward.norm(x, norm, dNormed, true, dX);
            results.add(side.values(dX));
            backward.activation(x, Activation.GELU, dX);
            results.add(side.values(dX));
            try (Sums bias = backward.sums(1, FEATURES);
                    Sums gain = backward.sums(1, HIDDEN);
                    Sums matrix = backward.sums(FEATURES, HIDDEN);
                    Sums positions = backward.sums(1600, HIDDEN)) {
                backward.columnSums(d, bias);
                backward.gainSums(x, norm, dX, gain);
                backward.weightSums(x, d, matrix);
                backward.positionSums(5, side.batch(packed), dX, positions);
                for (Sums sums : List.of(bias, gain, matrix, positions)) {
                    results.add(BackwardContract.values(sums));
                }
            }
            x.close();
            d.close();
            dOut.close();
            dX.close();
            dNormed.close();
        }
        return results;
    }
}
