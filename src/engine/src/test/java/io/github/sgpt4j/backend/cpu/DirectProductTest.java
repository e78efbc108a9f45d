package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A product in place and one with packed weights are bit-identical, so that results do not depend
/// on how much a process has computed before.
@Tag("vector")
class DirectProductTest {
    private static WeightTensor weights(Arena arena, Random random, long... shape) {
        Shape s = Shape.of(shape);
        MemorySegment data = arena.allocate(4 * s.elements(), 4);
        for (long i = 0; i < s.elements(); i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return new WeightTensor("w", "test", ElementType.F32, s, data);
    }

    private static float[] run(
            long workInPlace, WeightTensor weight, WeightTensor bias, Activation activation, boolean add, int rows) {
        int in = (int) weight.shape().dimension(1);
        int out = (int) weight.shape().dimension(0);
        float[] x = new float[rows * in];
        float[] before = new float[rows * out];
        Random random = new Random(7);
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        for (int i = 0; i < before.length; i++) {
            before[i] = (float) random.nextGaussian();
        }
        try (CpuBackend backend = new CpuBackend(new CpuOptions(2, Precision.AUTO, workInPlace, false));
                Tensor input = backend.upload(x, rows, in);
                Tensor output = backend.upload(before, rows, out)) {
            Linear linear = backend.linear(
                    List.of(
                            MatrixRows.range(weight, false, out / 2, out - out / 2),
                            MatrixRows.range(weight, false, 0, out / 2)),
                    List.of(MatrixRows.all(bias)));
            if (add) {
                backend.linearAdd(input, linear, output);
            } else {
                backend.linear(input, linear, activation, output);
            }
            return backend.download(output);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 13, 25})
    void sameBitsAsPackedWeights(int rows) {
        Random random = new Random(rows);
        try (Arena arena = Arena.ofShared()) {
            WeightTensor weight = weights(arena, random, 130, 801);
            WeightTensor bias = weights(arena, random, 130);
            for (Activation activation : List.of(Activation.NONE, Activation.GELU_TANH, Activation.SILU)) {
                assertArrayEquals(
                        run(0, weight, bias, activation, false, rows),
                        run(Long.MAX_VALUE, weight, bias, activation, false, rows),
                        activation.toString());
            }
            assertArrayEquals(
                    run(0, weight, bias, Activation.NONE, true, rows),
                    run(Long.MAX_VALUE, weight, bias, Activation.NONE, true, rows));
        }
    }
}
