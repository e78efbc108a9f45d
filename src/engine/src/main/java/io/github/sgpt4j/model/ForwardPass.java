package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.model.DecoderConfig.Residual;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One batch on its way through the decoder. Owns the batch's activations until closed.
final class ForwardPass implements AutoCloseable {
    private final DecoderConfig config;
    private final DecoderWeights weights;
    private final Backend backend;
    private final PackedBatch packed;
    private final Optional<CachedPrefix> prefix;
    private final Batch batch;
    private final List<Tensor> tensors = new ArrayList<>();
    /// Residual stream, `[tokens, hidden]`.
    private final Tensor x;
    /// Output of a norm, `[tokens, hidden]`.
    private final Tensor normed;
    /// Queries, keys and values, `[rows, qkvColumns]`; cached rows first.
    private final Tensor qkv;
    /// The computed rows of [#qkv].
    private final Tensor computed;
    /// Output of attention, `[tokens, heads · headDim]`.
    private final Tensor attended;
    /// Input of the last feed-forward projection, `[tokens, feedForward]`.
    private final Tensor inner;

    ForwardPass(DecoderWeights weights, Backend backend, PackedBatch packed, Optional<CachedPrefix> prefix) {
        config = weights.config();
        this.weights = weights;
        this.backend = backend;
        this.packed = packed;
        this.prefix = prefix;
        batch = backend.upload(packed);
        try {
            x = keep(backend.allocate(packed.tokens(), config.hidden()));
            normed = allocateInner(packed.tokens(), config.hidden());
            qkv = allocateInner(packed.rows(), config.qkvColumns());
            computed = qkv.slice(packed.cachedTokens(), packed.tokens());
            attended = allocateInner(packed.tokens(), config.heads() * config.headDim());
            inner = allocateInner(packed.tokens(), config.feedForward());
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// Values that a pass over `tokens` tokens without cached ones holds when it holds most: the tensors above, and
    /// what a gated feed-forward or a projection of the embedding adds for a while.
    static long peakValues(DecoderConfig c, long tokens) {
        long always = 2L * c.hidden() + c.qkvColumns() + (long) c.heads() * c.headDim() + c.feedForward();
        long forAWhile =
                Math.max(c.gated() ? 2L * c.feedForward() : 0, c.hasEmbeddingProjection() ? c.embeddingWidth() : 0);
        return Math.multiplyExact(tokens, always + forAWhile);
    }

    private Tensor allocateInner(int rows, int columns) {
        return keep(backend.allocateInner(rows, columns));
    }

    private Tensor keep(Tensor tensor) {
        tensors.add(tensor);
        return tensor;
    }

    Batch batch() {
        return batch;
    }

    /// Runs all layers.
    ///
    /// @return the residual stream before the final norm, `[tokens, hidden]`, owned by this pass
    Tensor run() {
        embed();
        for (int i = 0; i < config.layers(); i++) {
            layer(i);
        }
        return x;
    }

    /// As [#run], and keeps every layer's queries, keys and values; the caller owns the result.
    CachedPrefix runAndKeep() {
        List<Tensor> kept = new ArrayList<>();
        try {
            embed();
            for (int i = 0; i < config.layers(); i++) {
                layer(i);
                Tensor copy = backend.allocateInner(packed.rows(), config.qkvColumns());
                kept.add(copy);
                backend.copy(qkv, copy);
            }
            return new CachedPrefix(packed.rows(), kept);
        } catch (RuntimeException | Error e) {
            kept.forEach(Tensor::close);
            throw e;
        }
    }

    private void embed() {
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
        weights.embeddingNorm().ifPresent(norm -> backend.norm(x, norm, x));
    }

    private void layer(int index) {
        DecoderLayer layer = weights.layers().get(index);
        Residual residual = config.residual();
        boolean normFirst = residual != Residual.SEQUENTIAL_POST_NORM;
        if (normFirst) {
            backend.norm(x, layer.norm1(), normed);
        }
        attend(index, layer, normFirst ? normed : x);
        switch (residual) {
            case SEQUENTIAL -> {
                backend.linearAdd(attended, layer.attentionOut(), x);
                backend.norm(x, layer.norm2().orElseThrow(), normed);
                feedForward(layer, normed);
            }
            case SEQUENTIAL_FROM_NORM -> {
                backend.copy(normed, x);
                backend.linearAdd(attended, layer.attentionOut(), x);
                backend.norm(x, layer.norm2().orElseThrow(), x);
                feedForward(layer, x);
            }
            case SEQUENTIAL_POST_NORM -> {
                backend.linearAdd(attended, layer.attentionOut(), x);
                backend.norm(x, layer.norm1(), x);
                feedForward(layer, x);
                backend.norm(x, layer.norm2().orElseThrow(), x);
            }
            case PARALLEL_ONE_NORM -> {
                backend.linearAdd(attended, layer.attentionOut(), x);
                feedForward(layer, normed);
            }
            case PARALLEL_TWO_NORMS -> {
                backend.norm(x, layer.norm2().orElseThrow(), normed);
                backend.linearAdd(attended, layer.attentionOut(), x);
                feedForward(layer, normed);
            }
        }
    }

    /// `attended = attention(input)`, without the output projection.
    private void attend(int index, DecoderLayer layer, Tensor input) {
        backend.linear(input, layer.qkv(), Activation.NONE, computed);
        layer.queryNorm().ifPresent(norm -> backend.headNorm(computed, 0, config.heads(), norm));
        layer.keyNorm()
                .ifPresent(
                        norm -> backend.headNorm(computed, config.heads() * config.headDim(), config.kvHeads(), norm));
        weights.rotary().ifPresent(rotary -> backend.rotary(computed, batch, rotary));
        prefix.ifPresent(p -> backend.copy(p.layer(index), qkv.slice(0, p.length())));
        backend.attention(qkv, batch, layer.attention(), attended);
    }

    /// `x += feedForward(input)`; `input` may be `x` itself.
    private void feedForward(DecoderLayer layer, Tensor input) {
        Linear up = layer.up();
        if (config.gated()) {
            try (Tensor both = backend.allocateInner(packed.tokens(), up.out())) {
                backend.linear(input, up, Activation.NONE, both);
                backend.gatedActivation(both, config.activation(), inner);
            }
        } else {
            backend.linear(input, up, config.activation(), inner);
        }
        backend.linearAdd(inner, layer.down(), x);
    }

    @Override
    public void close() {
        tensors.forEach(Tensor::close);
        tensors.clear();
        batch.close();
    }
}
