package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;
import io.github.sgpt4j.model.family.Positions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// The pass of one batch in training: forward through the decoder and pooling, and back. Owns the batch's activations
/// until closed.
///
/// The layers are those of [ForwardPass], in the same order; here each keeps the residual stream, queries, keys and
/// values, attention's result and the activation's input. What is cheap is computed again on the way back: outputs of
/// norms and activations. No dropout.
public final class GradientPass implements AutoCloseable {
    private final DecoderConfig config;
    private final DecoderWeights weights;
    private final Backend backend;
    private final Backward backward;
    private final PackedBatch packed;
    private final SequenceBatch sequences;
    private final int[] skip;
    private final List<PoolMode> modes;
    private final Cancellation cancellation;
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<Kept> layers = new ArrayList<>();
    private final Tensor normed;
    private final Tensor inner;
    /// Input of the norm after the embedding, if there is one.
    private Optional<Tensor> embedded = Optional.empty();
    /// The residual stream after the last layer.
    private Optional<Tensor> last = Optional.empty();

    /// What a layer keeps.
    ///
    /// @param x its input, `[tokens, hidden]`
    /// @param middle the residual stream between attention and feed-forward; empty if both are in parallel
    /// @param end the residual stream before the last norm of the layer, if that is its last step
    /// @param unnormed queries, keys and values before the norm of heads, if there is one
    /// @param qkv as attention reads them
    /// @param attended `[tokens, heads · headDim]`
    /// @param up input of the activation, `[tokens, feedForward or 2 · feedForward]`
    record Kept(
            Tensor x,
            Optional<Tensor> middle,
            Optional<Tensor> end,
            Optional<Tensor> unnormed,
            Tensor qkv,
            Tensor attended,
            Tensor up) {}

    GradientPass(
            DecoderWeights weights,
            Backend backend,
            Backward backward,
            SequenceBatch sequences,
            int[] skip,
            List<PoolMode> modes,
            Cancellation cancellation) {
        config = weights.config();
        this.weights = weights;
        this.backend = backend;
        this.backward = backward;
        this.sequences = sequences;
        packed = sequences.packed();
        this.skip = skip.clone();
        this.modes = List.copyOf(modes);
        this.cancellation = cancellation;
        try {
            normed = allocateInner(config.hidden());
            inner = allocateInner(config.feedForward());
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// Bytes that a pass needs for each token, at most: what it keeps, and what it needs for a short time.
    ///
    /// @param innerBytes as [Backend#innerBytes]
    static long bytesPerToken(DecoderConfig c, int innerBytes) {
        long full = Math.addExact(keptInFull(c), 3L * c.hidden());
        long inner = Math.addExact(
                keptBetweenProducts(c),
                2L * c.hidden() + (c.gated() ? 5L : 3L) * c.feedForward() + 2L * c.qkvColumns());
        return Math.addExact(
                Math.multiplyExact(full, (long) Float.BYTES), Math.multiplyExact(inner, (long) innerBytes));
    }

    /// Number of values of the residual stream that a pass keeps for each token.
    private static long keptInFull(DecoderConfig c) {
        long ofLayer = switch (c.residual()) {
            case PARALLEL_ONE_NORM, PARALLEL_TWO_NORMS -> 1;
            case SEQUENTIAL, SEQUENTIAL_FROM_NORM, SEQUENTIAL_NORMED_OUTPUTS, SEQUENTIAL_FOUR_NORMS -> 2;
            case SEQUENTIAL_POST_NORM -> 3;
        };
        return Math.multiplyExact(Math.addExact(Math.multiplyExact(c.layers(), ofLayer), 2L), c.hidden());
    }

    /// Number of all other values that a pass keeps for each token.
    private static long keptBetweenProducts(DecoderConfig c) {
        long ofLayer = (c.headNorm() != DecoderConfig.HeadNorm.NONE ? 2L : 1L) * c.qkvColumns()
                + (long) c.heads() * c.headDim()
                + (c.gated() ? 2L : 1L) * c.feedForward();
        return Math.multiplyExact(c.layers(), ofLayer);
    }

    private Tensor keep(Tensor tensor) {
        tensors.add(tensor);
        return tensor;
    }

    private Tensor allocate() {
        return keep(backend.allocate(packed.tokens(), config.hidden()));
    }

    private Tensor allocateInner(int columns) {
        return keep(backend.allocateInner(packed.tokens(), columns));
    }

    private void drop(Tensor tensor) {
        // Compared by identity, as tensors are: the last ones first.
        tensors.remove(tensors.lastIndexOf(tensor));
        tensor.close();
    }

    /// Computes the embeddings and keeps what [#backward] needs. Called once.
    ///
    /// @return `[sequences][modes · width]`
    public float[][] forward() {
        return forward(true);
    }

    /// Computes the same embeddings as [#forward] to the last bit, and keeps nothing. Called once.
    public float[][] embed() {
        return forward(false);
    }

    /// The batch is uploaded for each direction: between them, other passes may be computed.
    private float[][] forward(boolean keeping) {
        try (Batch batch = backend.upload(packed)) {
            Tensor x = embedTokens(batch);
            for (int i = 0; i < config.layers(); i++) {
                cancellation.check();
                x = layer(i, x, batch, keeping);
            }
            last = Optional.of(x);
            return pool(x);
        }
    }

    private Tensor embedTokens(Batch batch) {
        Tensor x = allocate();
        if (weights.projectIn().isPresent()) {
            try (Tensor narrow = backend.allocate(packed.tokens(), config.embeddingWidth())) {
                backend.embed(weights.embedding(), batch, narrow);
                backend.linear(narrow, weights.projectIn().get(), Activation.NONE, x);
            }
        } else {
            backend.embed(weights.embedding(), batch, x);
        }
        if (config.positions() instanceof Positions.Learned learned) {
            backend.addPositions(weights.positions().orElseThrow(), learned.offset(), batch, x);
        }
        if (weights.embeddingNorm().isEmpty()) {
            return x;
        }
        embedded = Optional.of(x);
        Tensor after = allocate();
        backend.norm(x, weights.embeddingNorm().get(), after);
        return after;
    }

    private float[][] pool(Tensor x) {
        int columns = Math.multiplyExact(modes.size(), config.embeddingWidth());
        try (Tensor pooled = backend.allocate(sequences.rows().count(), columns)) {
            if (weights.projectOut().isEmpty()) {
                backend.pool(x, weights.finalNorm(), sequences.rows(), skip, modes, pooled);
            } else {
                try (Tensor projected = projected(x)) {
                    backend.pool(projected, weights.gatherWidth(), sequences.rows(), skip, modes, pooled);
                }
            }
            return Decoder.rows(backend.download(pooled), columns);
        }
    }

    /// The model's output states before pooling; the caller closes them.
    Tensor projected(Tensor x) {
        return filled(backend.allocate(x.rows(), config.embeddingWidth()), out -> {
            try (Tensor states = backend.allocate(x.rows(), x.columns())) {
                backend.norm(x, weights.finalNorm(), states);
                backend.linear(states, weights.projectOut().orElseThrow(), Activation.NONE, out);
            }
        });
    }

    /// A tensor after it has been computed; closed if that fails.
    static Tensor filled(Tensor out, Consumer<Tensor> computation) {
        try {
            computation.accept(out);
            return out;
        } catch (RuntimeException | Error e) {
            out.close();
            throw e;
        }
    }

    /// One layer.
    ///
    /// @return its result, `[tokens, hidden]`
    private Tensor layer(int index, Tensor x, Batch batch, boolean keeping) {
        DecoderLayer layer = weights.layers().get(index);
        Residual residual = config.residual();
        boolean normFirst = residual != Residual.SEQUENTIAL_POST_NORM;
        if (normFirst) {
            backend.norm(x, layer.norm1(), normed);
        }
        Tensor qkv = allocateInner(config.qkvColumns());
        backend.linear(normFirst ? normed : x, layer.qkv(), Activation.NONE, qkv);
        Optional<Tensor> unnormed = normHeads(layer, qkv);
        weights.rotary().ifPresent(rotary -> backend.rotary(qkv, batch, rotary));
        Tensor attended = allocateInner(config.heads() * config.headDim());
        backend.attention(qkv, batch, layer.attention(), attended);
        Tensor up = allocateInner(layer.up().out());
        Optional<Tensor> middle = Optional.empty();
        Optional<Tensor> end = Optional.empty();
        Tensor out = allocate();
        switch (residual) {
            case SEQUENTIAL -> {
                Tensor between = afterAttention(x, layer, attended);
                middle = Optional.of(between);
                backend.norm(between, layer.norm2().orElseThrow(), normed);
                backend.copy(between, out);
                feedForward(layer, normed, up, out);
            }
            case SEQUENTIAL_FROM_NORM -> {
                Tensor between = afterAttention(normed, layer, attended);
                middle = Optional.of(between);
                backend.norm(between, layer.norm2().orElseThrow(), out);
                feedForward(layer, out, up, out);
            }
            case SEQUENTIAL_POST_NORM -> {
                Tensor between = afterAttention(x, layer, attended);
                middle = Optional.of(between);
                Tensor sum = allocate();
                end = Optional.of(sum);
                backend.norm(between, layer.norm1(), sum);
                feedForward(layer, sum, up, sum);
                backend.norm(sum, layer.norm2().orElseThrow(), out);
            }
            case SEQUENTIAL_NORMED_OUTPUTS, SEQUENTIAL_FOUR_NORMS ->
                throw new IllegalStateException(residual + " has no gradient");
            case PARALLEL_ONE_NORM, PARALLEL_TWO_NORMS -> {
                backend.copy(x, out);
                backend.linearAdd(attended, layer.attentionOut(), out);
                layer.norm2()
                        .filter(norm -> residual == Residual.PARALLEL_TWO_NORMS)
                        .ifPresent(norm -> backend.norm(x, norm, normed));
                feedForward(layer, normed, up, out);
            }
        }
        Kept kept = new Kept(x, middle, end, unnormed, qkv, attended, up);
        if (keeping) {
            layers.add(kept);
        } else {
            forget(kept);
        }
        return out;
    }

    private void forget(Kept kept) {
        List.of(kept.x, kept.qkv, kept.attended, kept.up).forEach(this::drop);
        kept.middle.ifPresent(this::drop);
        kept.end.ifPresent(this::drop);
        kept.unnormed.ifPresent(this::drop);
    }

    /// Norms query and key heads.
    ///
    /// @return a copy of `qkv` as it was before, if there are such norms
    private Optional<Tensor> normHeads(DecoderLayer layer, Tensor qkv) {
        if (layer.queryNorm().isEmpty() && layer.keyNorm().isEmpty()) {
            return Optional.empty();
        }
        Tensor before = allocateInner(config.qkvColumns());
        backend.copy(qkv, before);
        layer.queryNorm().ifPresent(norm -> backend.headNorm(qkv, 0, config.heads(), norm));
        layer.keyNorm().ifPresent(norm -> backend.headNorm(qkv, firstKey(), config.kvHeads(), norm));
        return Optional.of(before);
    }

    /// The first column of keys among queries, keys and values.
    int firstKey() {
        return config.heads() * config.headDim();
    }

    /// `x` plus the projection of what was attended to.
    private Tensor afterAttention(Tensor x, DecoderLayer layer, Tensor attended) {
        Tensor sum = allocate();
        backend.copy(x, sum);
        backend.linearAdd(attended, layer.attentionOut(), sum);
        return sum;
    }

    /// `out += feedForward(input)`; `input` may be `out` itself.
    private void feedForward(DecoderLayer layer, Tensor input, Tensor up, Tensor out) {
        backend.linear(input, layer.up(), Activation.NONE, up);
        activate(up, inner);
        backend.linearAdd(inner, layer.down(), out);
    }

    /// `out = activation(up)`, gated or not.
    void activate(Tensor up, Tensor out) {
        if (config.gated()) {
            backend.gatedActivation(up, config.activation(), out);
        } else {
            backward.activate(up, config.activation(), out);
        }
    }

    SequenceBatch sequences() {
        return sequences;
    }

    int[] skip() {
        return skip;
    }

    List<PoolMode> modes() {
        return modes;
    }

    /// What each layer keeps.
    List<Kept> layers() {
        return layers;
    }

    /// Input of the norm after the embedding, if there is one.
    Optional<Tensor> embedded() {
        return embedded;
    }

    /// The residual stream after the last layer, after [#forward].
    Optional<Tensor> last() {
        return last;
    }

    /// Adds the gradients of the trained tensors to `gradients`; called once, after [#forward].
    ///
    /// @param dEmbeddings gradient of the loss with respect to the result of [#forward], of the same shape
    public void backward(float[][] dEmbeddings, Gradients gradients) {
        try (Batch batch = backend.upload(packed)) {
            new BackwardPass(this, weights, backend, backward, cancellation, gradients, batch).run(dEmbeddings);
        }
    }

    @Override
    public void close() {
        tensors.forEach(Tensor::close);
        tensors.clear();
    }
}
