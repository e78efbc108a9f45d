package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Once everything is compiled, the allocation of a forward pass on the CPU does not depend on the
/// number of tokens.
///
/// Until then vectors are objects on the heap, and nobody knows when the compiler is done. So
/// passes are repeated until the allocation is equal; the limit on their number is far beyond what
/// is needed.
@Tag("vector")
class SteadyAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// A pass takes less than a millisecond; some hundreds to a few thousand are needed.
    private static final int MAX_PASSES = 20_000;

    /// Equal passes in a row that are required: a single one may be half compiled and equal by
    /// chance.
    private static final int IN_A_ROW = 50;

    /// What the division of a batch into pieces may add: far below a byte per token.
    private static final long ALLOWED = 64;

    /// So that allocations of other threads do not count, and work is not divided by chance.
    private static final CpuOptions ONE_THREAD = new CpuOptions(1, Precision.FP32, 0);

    private final TestData data = new TestData();

    @ParameterizedTest
    @EnumSource
    void moreTokensDoNotAllocateMore(MiniDecoder.Style style) {
        try (TestWeights weights = new TestWeights();
                Backend backend = new CpuBackend(ONE_THREAD)) {
            MiniDecoder decoder = new MiniDecoder(backend, style, weights, data);
            requireTheSame(decoder::embeddings, sequence(16), sequence(MiniDecoder.MAX_TOKENS));
        }
    }

    private static SequenceBatch sequence(int tokens) {
        return SequenceBatch.of(List.of(new int[tokens]));
    }

    @Test
    void manyBlocksOfKeysDoNotAllocateMore() {
        requireTheSame((backend, batch, parameters, qkv, out, dQkv) -> backend.attention(qkv, batch, parameters, out));
    }

    @Test
    void gradientsOfManyKeysDoNotAllocateMore() {
        requireTheSame((backend, batch, parameters, qkv, out, dQkv) ->
                backend.backward().orElseThrow().attention(qkv, batch, parameters, out, out, dQkv));
    }

    @FunctionalInterface
    private interface Attention {
        void run(Backend backend, Batch batch, AttentionParameters parameters, Tensor qkv, Tensor out, Tensor dQkv);
    }

    private void requireTheSame(Attention attention) {
        float[] slopes = {0.5f, 0.25f, 0.125f, 0.0625f};
        AttentionParameters parameters = new AttentionParameters(4, 2, 24, 0.2f, 500, slopes);
        int longest = 1000;
        int columns = parameters.qkvColumns();
        try (Backend backend = new CpuBackend(ONE_THREAD);
                Tensor qkv = backend.upload(data.normal(longest * columns), longest, columns);
                Tensor out = backend.upload(data.normal(longest * 4 * 24), longest, 4 * 24);
                Tensor dQkv = backend.allocate(longest, columns)) {
            Consumer<SequenceBatch> attend = sequences -> {
                PackedBatch packed = sequences.packed();
                int rows = packed.rows();
                try (Batch batch = backend.upload(packed)) {
                    attention.run(
                            backend, batch, parameters, qkv.slice(0, rows), out.slice(0, rows), dQkv.slice(0, rows));
                }
            };
            requireTheSame(attend, sequence(40), sequence(longest));
        }
    }

    /// Gradients and sums, in the order of a layer.
    @Test
    void gradientsOfMoreTokensDoNotAllocateMore() {
        int longest = 200;
        AttentionParameters parameters = new AttentionParameters(4, 2, 8, 0.2f, 0, new float[0]);
        int hidden = 32;
        int wide = parameters.qkvColumns();
        List<PoolMode> modes = List.of(PoolMode.WEIGHTED_MEAN, PoolMode.MAX);
        try (TestWeights weights = new TestWeights();
                Backend backend = new CpuBackend(ONE_THREAD);
                Tensor allX = backend.upload(data.normal(longest * hidden), longest, hidden);
                Tensor allD = backend.upload(data.normal(longest * hidden), longest, hidden);
                Tensor allQkv = backend.upload(data.normal(longest * wide), longest, wide);
                Tensor allDQkv = backend.upload(data.normal(longest * wide), longest, wide);
                Tensor dPooled = backend.upload(data.normal(2 * hidden), 1, 2 * hidden)) {
            Backward backward = backend.backward().orElseThrow();
            Linear linear = backend.linear(
                    List.of(MatrixRows.all(weights.matrix(wide, hidden, data.weights(wide, hidden)))), List.of());
            Norm norm = backend.norm(
                    new NormParameters(NormParameters.Kind.LAYER, hidden, Optional.empty(), Optional.empty(), 1e-5f));
            Norm headNorm = backend.norm(
                    new NormParameters(NormParameters.Kind.RMS, 8, Optional.empty(), Optional.empty(), 1e-5f));
            try (Sums bias = backward.sums(1, wide);
                    Sums gain = backward.sums(1, hidden);
                    Sums headGain = backward.sums(1, 8);
                    Sums matrix = backward.sums(wide, hidden);
                    Sums rows = backward.sums(longest, hidden)) {
                Consumer<SequenceBatch> pass = sequences -> {
                    int tokens = sequences.packed().tokens();
                    Tensor x = allX.slice(0, tokens);
                    Tensor d = allD.slice(0, tokens);
                    Tensor qkv = allQkv.slice(0, tokens);
                    Tensor dQkv = allDQkv.slice(0, tokens);
                    try (Batch batch = backend.upload(sequences.packed())) {
                        backward.pool(x, norm, sequences.rows(), new int[1], modes, dPooled, d);
                        backward.norm(x, norm, d, false, d);
                        backward.gainSums(x, norm, d, gain);
                        backward.attention(qkv, batch, parameters, x, d, dQkv);
                        backward.headNorm(qkv, 0, 6, headNorm, dQkv);
                        backward.headGainSums(qkv, 0, 6, headNorm, dQkv, headGain);
                        backward.columnSums(dQkv, bias);
                        backward.weightSums(x, dQkv, matrix);
                        backward.linear(dQkv, linear, true, d);
                        backward.activation(x, Activation.GELU_TANH, d);
                        backward.gatedActivation(qkv, Activation.SILU, x, dQkv);
                        backward.embeddingSums(batch, d, rows);
                        backward.positionSums(0, batch, d, rows);
                    }
                };
                requireTheSame(pass, sequence(16), sequence(longest));
            }
        }
    }

    private static void requireTheSame(Consumer<SequenceBatch> pass, SequenceBatch few, SequenceBatch many) {
        long growth = 0;
        int same = 0;
        for (int i = 0; i < MAX_PASSES && same < IN_A_ROW; i++) {
            growth = allocated(pass, many) - allocated(pass, few);
            same = Math.abs(growth) <= ALLOWED ? same + 1 : 0;
        }
        assertEquals(IN_A_ROW, same, growth + " bytes more for " + (tokens(many) - tokens(few)) + " tokens");
    }

    private static int tokens(SequenceBatch batch) {
        return batch.packed().tokens();
    }

    private static long allocated(Consumer<SequenceBatch> pass, SequenceBatch batch) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        pass.accept(batch);
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
