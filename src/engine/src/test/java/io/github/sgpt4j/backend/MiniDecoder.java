package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Two random decoder layers on one backend, enough to see how operations work together.
final class MiniDecoder {
    /// Which operations the layers are made of.
    enum Style {
        /// Learned positions, LayerNorm, biases, GELU, windows.
        LEARNED,
        /// Rotary positions, RMSNorm, grouped heads with norms of their own, gated SiLU.
        ROTARY,
        /// ALiBi, norm on embeddings.
        SLOPES
    }

    static final int HIDDEN = 40;
    static final int VOCABULARY = 97;
    static final int MAX_TOKENS = 160;
    private static final int LAYERS = 2;
    private static final int HEADS = 4;
    private static final int HEAD_DIM = 10;
    private static final int INNER = 72;

    private final Backend backend;
    private final Style style;
    private final AttentionParameters attention;
    private final RotaryParameters rotary;
    private final Table table;
    private final Table positions;
    private final Linear head;
    private final Norm finalNorm;
    private final List<Layer> layers = new ArrayList<>();

    private record Layer(Norm first, Linear qkv, Norm headNorm, Linear out, Norm second, Linear up, Linear down) {}

    /// Keys and values of a sequence, `[tokens, columns]` per layer, to prepend to another batch.
    record Cache(List<Tensor> qkv) implements AutoCloseable {
        @Override
        public void close() {
            qkv.forEach(Tensor::close);
        }
    }

    MiniDecoder(Backend backend, Style style, TestWeights memory, TestData data) {
        this.backend = backend;
        this.style = style;
        int kvHeads = style == Style.ROTARY ? 2 : HEADS;
        float[] slopes = style == Style.SLOPES ? new float[] {0.5f, 0.25f, 0.125f, 0.0625f} : new float[0];
        int window = style == Style.LEARNED ? 6 : 0;
        attention = new AttentionParameters(HEADS, kvHeads, HEAD_DIM, 0.3f, window, slopes);
        double[] frequencies = {1, 0.3, 0.1, 0.01};
        rotary = new RotaryParameters(HEADS, kvHeads, HEAD_DIM, 8, false, frequencies, 1f);
        table = backend.table(memory.tensor(ElementType.F16, data.normal(VOCABULARY * HIDDEN), VOCABULARY, HIDDEN));
        positions = backend.table(memory.tensor(ElementType.F32, data.normal(MAX_TOKENS * HIDDEN), MAX_TOKENS, HIDDEN));
        head = backend.linear(matrix(VOCABULARY, HIDDEN, memory, data), List.of());
        finalNorm = norm(HIDDEN, memory, data);
        for (int i = 0; i < LAYERS; i++) {
            int up = style == Style.ROTARY ? 2 * INNER : INNER;
            layers.add(new Layer(
                    norm(HIDDEN, memory, data),
                    backend.linear(matrix(attention.qkvColumns(), HIDDEN, memory, data), List.of()),
                    norm(HEAD_DIM, memory, data),
                    backend.linear(matrix(HIDDEN, HIDDEN, memory, data), vector(HIDDEN, memory, data)),
                    norm(HIDDEN, memory, data),
                    backend.linear(matrix(up, HIDDEN, memory, data), vector(up, memory, data)),
                    backend.linear(matrix(HIDDEN, INNER, memory, data), List.of())));
        }
    }

    private Norm norm(int columns, TestWeights memory, TestData data) {
        Optional<WeightTensor> gain = Optional.of(memory.vector(data.normal(columns, 1, 0.2)));
        return backend.norm(
                style == Style.ROTARY
                        ? new NormParameters(NormParameters.Kind.RMS, columns, gain, Optional.empty(), 1e-6f)
                        : new NormParameters(
                                NormParameters.Kind.LAYER,
                                columns,
                                gain,
                                Optional.of(memory.vector(data.normal(columns, 0, 0.2))),
                                1e-5f));
    }

    private static List<MatrixRows> matrix(int out, int in, TestWeights memory, TestData data) {
        return List.of(MatrixRows.all(memory.tensor(ElementType.F32, data.weights(out, in), out, in)));
    }

    private static List<MatrixRows> vector(int size, TestWeights memory, TestData data) {
        return List.of(MatrixRows.all(memory.tensor(ElementType.F32, data.normal(size, 0, 0.3), size)));
    }

    /// Last hidden states before the final norm, `[tokens, HIDDEN]`.
    float[] hidden(PackedBatch packed) {
        try (Batch batch = backend.upload(packed);
                Tensor x = forward(batch, Optional.empty(), Optional.empty())) {
            return backend.download(x);
        }
    }

    /// Hidden states of a batch whose cached segment was [#cache]d.
    float[] hidden(PackedBatch packed, Cache cache) {
        try (Batch batch = backend.upload(packed);
                Tensor x = forward(batch, Optional.of(cache), Optional.empty())) {
            return backend.download(x);
        }
    }

    /// Keys and values of one sequence.
    Cache cache(PackedBatch packed) {
        List<Tensor> kept = new ArrayList<>();
        try (Batch batch = backend.upload(packed)) {
            forward(batch, Optional.empty(), Optional.of(kept)).close();
        }
        return new Cache(kept);
    }

    /// Weighted mean of the sequence that each segment ends, `[segments, HIDDEN]`.
    float[] embeddings(PackedBatch packed) {
        int[] ends = IntStream.range(0, packed.segments()).toArray();
        return embeddings(new SequenceBatch(packed, SequenceRows.of(packed, ends)));
    }

    /// Weighted mean of each sequence, `[sequences, HIDDEN]`.
    float[] embeddings(SequenceBatch sequences) {
        int count = sequences.rows().count();
        try (Batch batch = backend.upload(sequences.packed());
                Tensor x = forward(batch, Optional.empty(), Optional.empty());
                Tensor out = backend.allocate(count, HIDDEN)) {
            backend.pool(x, finalNorm, sequences.rows(), new int[count], List.of(PoolMode.WEIGHTED_MEAN), out);
            return backend.download(out);
        }
    }

    /// Log probability of each token's own id at its row, `[tokens]`.
    float[] logProbabilities(PackedBatch packed) {
        int[] rows = new int[packed.tokens()];
        Arrays.setAll(rows, i -> i);
        try (Batch batch = backend.upload(packed);
                Tensor x = forward(batch, Optional.empty(), Optional.empty());
                Tensor normed = backend.allocate(rows.length, HIDDEN);
                Tensor out = backend.allocate(rows.length, 1)) {
            backend.normRows(x, rows, finalNorm, normed);
            backend.logProbabilities(normed, head, packed.ids(), out);
            return backend.download(out);
        }
    }

    private Tensor forward(Batch batch, Optional<Cache> cache, Optional<List<Tensor>> keep) {
        PackedBatch packed = batch.packed();
        Tensor x = backend.allocate(packed.tokens(), HIDDEN);
        backend.embed(table, batch, x);
        if (style == Style.LEARNED) {
            backend.addPositions(positions, 0, batch, x);
        } else if (style == Style.SLOPES) {
            backend.norm(x, finalNorm, x);
        }
        for (int i = 0; i < LAYERS; i++) {
            attend(i, x, batch, cache, keep);
            feedForward(layers.get(i), x);
        }
        return x;
    }

    private void attend(int index, Tensor x, Batch batch, Optional<Cache> cache, Optional<List<Tensor>> keep) {
        Layer layer = layers.get(index);
        PackedBatch packed = batch.packed();
        Tensor qkv = backend.allocate(packed.rows(), attention.qkvColumns());
        try (Tensor normed = backend.allocate(packed.tokens(), HIDDEN);
                Tensor attended = backend.allocate(packed.tokens(), HIDDEN)) {
            int cached = packed.cachedTokens();
            cache.ifPresent(c -> backend.copy(c.qkv().get(index), qkv.slice(0, cached)));
            Tensor computed = cached == 0 ? qkv : qkv.slice(cached, packed.tokens());
            backend.norm(x, layer.first(), normed);
            backend.linear(normed, layer.qkv(), Activation.NONE, computed);
            if (style == Style.ROTARY) {
                backend.headNorm(computed, 0, HEADS + attention.kvHeads(), layer.headNorm());
                backend.rotary(computed, batch, rotary);
            }
            backend.attention(qkv, batch, attention, attended);
            backend.linearAdd(attended, layer.out(), x);
        } finally {
            keep.ifPresentOrElse(list -> list.add(qkv), qkv::close);
        }
    }

    private void feedForward(Layer layer, Tensor x) {
        boolean gated = style == Style.ROTARY;
        try (Tensor normed = backend.allocate(x.rows(), HIDDEN);
                Tensor up = backend.allocate(x.rows(), layer.up().out());
                Tensor inner = backend.allocate(x.rows(), INNER)) {
            backend.norm(x, layer.second(), normed);
            if (gated) {
                backend.linear(normed, layer.up(), Activation.NONE, up);
                backend.gatedActivation(up, Activation.SILU, inner);
            } else {
                backend.linear(normed, layer.up(), Activation.GELU_TANH, inner);
            }
            backend.linearAdd(inner, layer.down(), x);
        }
    }
}
