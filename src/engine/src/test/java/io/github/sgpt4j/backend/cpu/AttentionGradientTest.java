package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which bits the gradient of attention has. Whether they are right is tested with those of other backends.
@Tag("vector")
class AttentionGradientTest {
    private final SplittableRandom random = new SplittableRandom(11);

    @Test
    void machineCodeComputesTheSame() {
        VectorCode code = Simd.FMA
                ? VectorCode.of(Simd.BITS).filter(c -> c.problem().isEmpty()).orElse(null)
                : null;
        for (int dim : new int[] {1, 12, 24, 64, 80, 256}) {
            for (int window : new int[] {0, 3, 100}) {
                Operands operands = new Operands(random, heads(4, 2, dim, window), 1, 2, 63, 193, 300);
                assertArrayEquals(operands.gradient(2, null), operands.gradient(2, code), "heads of %d".formatted(dim));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 5, 7})
    void threadsDoNotChangeIt(int threads) {
        Operands operands = new Operands(random, heads(4, 2, 24, 0), 700, 3, 65, 1);
        assertArrayEquals(operands.gradient(1, null), operands.gradient(threads, null));
    }

    @Test
    void aSequenceHasTheGradientThatItHasAlone() {
        AttentionParameters parameters = heads(4, 2, 24, 100);
        Operands all = new Operands(random, parameters, 200, 330, 7);
        float[] together = all.gradient(2, null);
        for (int s = 0; s < 3; s++) {
            int from = all.packed.start(s);
            int to = all.packed.start(s + 1);
            Operands one = new Operands(random, parameters, to - from);
            System.arraycopy(all.qkv.data(), all.qkv.offset(from), one.qkv.data(), one.qkv.offset(0), one.qkvSize());
            System.arraycopy(
                    all.outGradient.data(),
                    all.outGradient.offset(from),
                    one.outGradient.data(),
                    one.outGradient.offset(0),
                    (to - from) * one.outGradient.columns());
            int columns = parameters.qkvColumns();
            assertArrayEquals(
                    Arrays.copyOfRange(together, from * columns, to * columns), one.gradient(2, null), "sequence " + s);
        }
    }

    @Test
    void tokensThatOnlyResultsWithoutGradientSeeHaveNone() {
        Operands operands = new Operands(random, heads(2, 1, 16, 0), 150);
        int from = operands.outGradient.offset(90);
        Arrays.fill(operands.outGradient.data(), from, operands.outGradient.offset(150), 0f);
        float[] gradient = operands.gradient(1, null);
        for (int i = operands.qkv.offset(90); i < gradient.length; i++) {
            assertEquals(0f, Math.abs(gradient[i]), "value " + i);
        }
    }

    private static AttentionParameters heads(int heads, int kvHeads, int headDim, int window) {
        float[] slopes = {0.5f, 0.25f, 0.125f, 0.0625f};
        float scale = (float) (1 / Math.sqrt(headDim));
        return new AttentionParameters(heads, kvHeads, headDim, scale, window, Arrays.copyOf(slopes, heads));
    }

    /// Random values.
    private static final class Operands {
        final PackedBatch packed;
        final AttentionParameters parameters;
        final CpuTensor qkv;
        final CpuTensor outGradient;

        Operands(SplittableRandom random, AttentionParameters parameters, int... lengths) {
            packed = PackedBatch.of(
                    Arrays.stream(lengths).mapToObj(n -> new int[n]).toList());
            this.parameters = parameters;
            qkv = tensor(parameters.qkvColumns());
            outGradient = tensor(parameters.heads() * parameters.headDim());
            for (CpuTensor tensor : List.of(qkv, outGradient)) {
                for (int i = 0; i < tensor.data().length; i++) {
                    tensor.data()[i] = (float) random.nextGaussian();
                }
            }
        }

        private CpuTensor tensor(int columns) {
            return new CpuTensor(new ArrayPool(0), packed.rows(), columns);
        }

        int qkvSize() {
            return qkv.rows() * qkv.columns();
        }

        /// @param code null for the Vector API
        float[] gradient(int threads, VectorCode code) {
            CpuTensor out = tensor(outGradient.columns());
            CpuTensor gradient = tensor(qkv.columns());
            try (Workers workers = new Workers(threads);
                    CpuBatch batch = new CpuBatch(packed, () -> {})) {
                Attention.run(workers, qkv, batch, parameters, out, code);
                AttentionGradient.run(workers, qkv, batch, parameters, out, outGradient, gradient, code);
            }
            return Arrays.copyOf(gradient.data(), qkvSize());
        }
    }
}
