package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;
import io.github.sgpt4j.model.family.Positions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The forward pass of one batch. Owns the activations until closed; borrows the batch.
///
/// If only some states are needed, the last layer computes only their rows after attention: of a scored
/// document, for example, only its keys and values are needed.
final class ForwardPass implements AutoCloseable {
    private final DecoderConfig config;
    private final DecoderWeights weights;
    private final Backend backend;
    private final PackedBatch packed;
    private final Optional<CachedPrefix> prefix;
    private final Purpose purpose;
    private final Cancellation cancellation;
    private final Batch batch;
    private final List<Tensor> tensors = new ArrayList<>();
    /// All computed rows.
    private final Rows all;
    /// Queries, keys and values, `[rows, qkvColumns]`; cached rows first.
    private final Tensor qkv;
    /// The computed rows of [#qkv].
    private final Tensor computed;

    /// What a pass is for: some models attend in other directions to predict tokens.
    enum Purpose {
        STATES,
        PREDICTIONS
    }

    /// Activations of some tokens.
    ///
    /// @param x residual stream, `[rows, hidden]`
    /// @param normed output of a norm, `[rows, hidden]`
    /// @param attended output of attention, `[rows, heads · headDim]`
    /// @param inner input of the last feed-forward projection, `[rows, feedForward]`
    private record Rows(Tensor x, Tensor normed, Tensor attended, Tensor inner) {}

    ForwardPass(
            DecoderWeights weights,
            Backend backend,
            Batch batch,
            Optional<CachedPrefix> prefix,
            Purpose purpose,
            Cancellation cancellation) {
        config = weights.config();
        this.weights = weights;
        this.backend = backend;
        this.batch = batch;
        packed = batch.packed();
        this.prefix = prefix;
        this.purpose = purpose;
        this.cancellation = cancellation;
        try {
            all = new Rows(
                    keep(backend.allocate(packed.tokens(), config.hidden())),
                    allocateInner(packed.tokens(), config.hidden()),
                    allocateInner(packed.tokens(), config.heads() * config.headDim()),
                    allocateInner(packed.tokens(), config.feedForward()));
            qkv = allocateInner(packed.rows(), config.qkvColumns());
            computed = qkv.slice(packed.cachedTokens(), packed.tokens());
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// Whether it pays to continue with only these rows.
    static boolean isFew(int rows, int tokens) {
        return rows <= tokens / 2;
    }

    /// Peak number of values that a pass over `tokens` tokens without cached ones holds: the tensors
    /// above plus the temporary ones of a gated feed-forward or a projection of the embedding; or, with
    /// half of the rows in the last layer, copies of these rows instead of queries, keys and values.
    ///
    /// @param afterDecoder values per token that are computed from the final states afterwards
    static long peakValues(DecoderConfig c, long tokens, long afterDecoder) {
        long attended = (long) c.heads() * c.headDim();
        long always = 2L * c.hidden() + c.qkvColumns() + attended + c.feedForward();
        long transientValues =
                Math.max(c.gated() ? 2L * c.feedForward() : 0, c.hasEmbeddingProjection() ? c.embeddingWidth() : 0);
        long copies = (2L * c.hidden() + attended + transientValues + 1) / 2;
        long peak = Math.max(always + transientValues, always - c.qkvColumns() + copies);
        long end = always + (c.hasEmbeddingProjection() ? c.embeddingWidth() : 0);
        return Math.multiplyExact(tokens, Math.max(peak, Math.addExact(end, afterDecoder)));
    }

    private Tensor allocateInner(int rows, int columns) {
        return keep(backend.allocateInner(rows, columns));
    }

    private Tensor keep(Tensor tensor) {
        tensors.add(tensor);
        return tensor;
    }

    /// Runs all layers; if the call is cancelled, no further layer is started.
    ///
    /// @param wanted rows whose states are wanted, or empty for all
    /// @return the residual stream before the final norm, `[wanted or tokens, hidden]`, owned by this pass
    Tensor run(Optional<int[]> wanted) {
        embed();
        Tensor x = all.x;
        for (int i = 0; i < config.layers(); i++) {
            x = layer(i, i == config.layers() - 1 ? wanted : Optional.empty());
        }
        // The output head may follow.
        cancellation.check();
        return x;
    }

    /// As [#run], but keeps every layer's queries, keys and values; the caller owns the result.
    CachedPrefix runAndKeep() {
        List<Tensor> kept = new ArrayList<>();
        try {
            embed();
            for (int i = 0; i < config.layers(); i++) {
                layer(i, Optional.empty());
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
                backend.embed(weights.embedding(), batch, config.embeddingScale(), narrow);
                backend.linear(narrow, weights.projectIn().get(), Activation.NONE, all.x);
            }
        } else {
            backend.embed(weights.embedding(), batch, config.embeddingScale(), all.x);
        }
        if (config.positions() instanceof Positions.Learned learned) {
            backend.addPositions(weights.positions().orElseThrow(), learned.offset(), batch, all.x);
        }
        weights.embeddingNorm().ifPresent(norm -> backend.norm(all.x, norm, all.x));
    }

    /// One layer.
    ///
    /// @param wanted rows to compute after attention, or empty for all
    /// @return the residual stream of these rows
    private Tensor layer(int index, Optional<int[]> wanted) {
        cancellation.check();
        DecoderLayer layer = weights.layers().get(index);
        boolean normFirst = config.residual() != Residual.SEQUENTIAL_POST_NORM
                && config.residual() != Residual.SEQUENTIAL_NORMED_OUTPUTS;
        if (normFirst) {
            backend.norm(all.x, layer.norm1(), all.normed);
        }
        attend(index, layer, normFirst ? all.normed : all.x);
        Rows rows = wanted.map(this::gather).orElse(all);
        afterAttention(layer, rows);
        return rows.x;
    }

    /// Copies some rows; queries, keys and values are released.
    private Rows gather(int[] rows) {
        tensors.remove(qkv);
        qkv.close();
        Rows some = new Rows(
                keep(backend.allocate(rows.length, config.hidden())),
                allocateInner(rows.length, config.hidden()),
                allocateInner(rows.length, config.heads() * config.headDim()),
                all.inner.slice(0, rows.length));
        backend.normRows(all.x, rows, weights.gatherHidden(), some.x);
        backend.normRows(all.normed, rows, weights.gatherHidden(), some.normed);
        backend.normRows(all.attended, rows, weights.gatherHeads(), some.attended);
        return some;
    }

    private void afterAttention(DecoderLayer layer, Rows rows) {
        Tensor x = rows.x;
        Tensor normed = rows.normed;
        switch (config.residual()) {
            case SEQUENTIAL -> {
                backend.linearAdd(rows.attended, layer.attentionOut(), x);
                backend.norm(x, layer.norm2().orElseThrow(), normed);
                feedForward(layer, normed, rows);
            }
            case SEQUENTIAL_FROM_NORM -> {
                backend.copy(normed, x);
                backend.linearAdd(rows.attended, layer.attentionOut(), x);
                backend.norm(x, layer.norm2().orElseThrow(), x);
                feedForward(layer, x, rows);
            }
            case SEQUENTIAL_POST_NORM -> {
                backend.linearAdd(rows.attended, layer.attentionOut(), x);
                backend.norm(x, layer.norm1(), x);
                feedForward(layer, x, rows);
                backend.norm(x, layer.norm2().orElseThrow(), x);
            }
            case SEQUENTIAL_NORMED_OUTPUTS -> {
                addAttended(layer, layer.norm1(), rows);
                addFeedForward(layer, x, layer.norm2().orElseThrow(), rows);
            }
            case SEQUENTIAL_FOUR_NORMS -> {
                addAttended(layer, layer.outputNorm1().orElseThrow(), rows);
                backend.norm(x, layer.norm2().orElseThrow(), normed);
                addFeedForward(layer, normed, layer.outputNorm2().orElseThrow(), rows);
            }
            case PARALLEL_ONE_NORM -> {
                backend.linearAdd(rows.attended, layer.attentionOut(), x);
                feedForward(layer, normed, rows);
            }
            case PARALLEL_TWO_NORMS -> {
                backend.norm(x, layer.norm2().orElseThrow(), normed);
                backend.linearAdd(rows.attended, layer.attentionOut(), x);
                feedForward(layer, normed, rows);
            }
        }
    }

    /// `x += norm(attended · Wᵀ)`.
    private void addAttended(DecoderLayer layer, Norm norm, Rows rows) {
        backend.linear(rows.attended, layer.attentionOut(), Activation.NONE, rows.normed);
        backend.normAdd(rows.normed, norm, rows.x);
    }

    /// `x += norm(feedForward(input))`; `input` may be `x`.
    private void addFeedForward(DecoderLayer layer, Tensor input, Norm norm, Rows rows) {
        toInner(layer, input, rows);
        backend.linear(rows.inner, layer.down(), Activation.NONE, rows.normed);
        backend.normAdd(rows.normed, norm, rows.x);
    }

    /// `attended = attention(input)`, without the output projection.
    private void attend(int index, DecoderLayer layer, Tensor input) {
        backend.linear(input, layer.qkv(), Activation.NONE, computed);
        int queries = config.heads() * config.headDim();
        int keys = config.kvHeads() * config.headDim();
        layer.queryNorm().ifPresent(norm -> backend.headNorm(computed, 0, queries / norm.columns(), norm));
        layer.keyNorm().ifPresent(norm -> backend.headNorm(computed, queries, keys / norm.columns(), norm));
        layer.rotary().or(weights::rotary).ifPresent(rotary -> backend.rotary(computed, batch, rotary));
        prefix.ifPresent(p -> backend.copy(p.layer(index), qkv.slice(0, p.length())));
        AttentionParameters attention = purpose == Purpose.STATES ? layer.attention() : layer.predictingAttention();
        backend.attention(qkv, batch, attention, all.attended);
    }

    /// `x += feedForward(input)`; `input` may be `x` itself.
    private void feedForward(DecoderLayer layer, Tensor input, Rows rows) {
        toInner(layer, input, rows);
        backend.linearAdd(rows.inner, layer.down(), rows.x);
    }

    /// `inner = activation(input · Wᵀ)`, gated or not.
    private void toInner(DecoderLayer layer, Tensor input, Rows rows) {
        Linear up = layer.up();
        if (config.gated()) {
            try (Tensor both = backend.allocateInner(input.rows(), up.out())) {
                backend.linear(input, up, Activation.NONE, both);
                backend.gatedActivation(both, config.activation(), rows.inner);
            }
        } else {
            backend.linear(input, up, config.activation(), rows.inner);
        }
    }

    @Override
    public void close() {
        tensors.forEach(Tensor::close);
        tensors.clear();
    }
}
