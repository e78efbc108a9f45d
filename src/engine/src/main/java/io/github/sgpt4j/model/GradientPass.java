package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;
import io.github.sgpt4j.model.family.Positions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

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
    private record Kept(
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

    /// Number of values that a pass keeps for each token, without what it needs for a short time only.
    public static long keptValues(DecoderConfig c) {
        long residual = (long) c.hidden()
                * switch (c.residual()) {
                    case PARALLEL_ONE_NORM, PARALLEL_TWO_NORMS -> 1;
                    case SEQUENTIAL, SEQUENTIAL_FROM_NORM -> 2;
                    case SEQUENTIAL_POST_NORM -> 3;
                };
        long layer = residual
                + (c.headNorm() ? 2L : 1L) * c.qkvColumns()
                + (long) c.heads() * c.headDim()
                + (c.gated() ? 2L : 1L) * c.feedForward();
        return Math.addExact(Math.multiplyExact(c.layers(), layer), 2L * c.hidden());
    }

    /// Number of values per token that a pass needs for a short time, besides [#keptValues].
    public static long passingValues(DecoderConfig c) {
        return 5L * c.hidden() + (c.gated() ? 5L : 3L) * c.feedForward() + 2L * c.qkvColumns();
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
    private Tensor projected(Tensor x) {
        Tensor projected = backend.allocate(x.rows(), config.embeddingWidth());
        try (Tensor states = backend.allocate(x.rows(), x.columns())) {
            backend.norm(x, weights.finalNorm(), states);
            backend.linear(states, weights.projectOut().orElseThrow(), Activation.NONE, projected);
            return projected;
        } catch (RuntimeException | Error e) {
            projected.close();
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

    private int firstKey() {
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

    private void activate(Tensor up, Tensor out) {
        if (config.gated()) {
            backend.gatedActivation(up, config.activation(), out);
        } else {
            backward.activate(up, config.activation(), out);
        }
    }

    /// Adds the gradients of the trained tensors to `gradients`; called once, after [#forward].
    ///
    /// @param dEmbeddings gradient of the loss with respect to the result of [#forward], of the same shape
    public void backward(float[][] dEmbeddings, Gradients gradients) {
        try (Batch batch = backend.upload(packed)) {
            new Back(gradients, batch).run(dEmbeddings);
        }
    }

    /// The way back. A gradient is computed only if something that is trained depends on it.
    private final class Back {
        private final Gradients gradients;
        private final Batch batch;
        private final int tokens = packed.tokens();
        private final boolean embedding;
        private final int lowest;

        Back(Gradients gradients, Batch batch) {
            this.gradients = gradients;
            this.batch = batch;
            embedding = gradients.trains(weights.embedding())
                    || weights.positions().filter(gradients::trains).isPresent()
                    || weights.projectIn().filter(gradients::trains).isPresent()
                    || weights.embeddingNorm().filter(gradients::trains).isPresent();
            lowest = embedding ? -1 : lowestTrained();
        }

        private int lowestTrained() {
            for (int i = 0; i < config.layers(); i++) {
                DecoderLayer layer = weights.layers().get(i);
                if (trainsAttention(layer)
                        || layer.norm2().filter(gradients::trains).isPresent()
                        || gradients.trains(layer.attentionOut())
                        || trainsFeedForward(layer)) {
                    return i;
                }
            }
            return config.layers();
        }

        /// Whether something up to attention is trained.
        private boolean trainsAttention(DecoderLayer layer) {
            return gradients.trains(layer.norm1())
                    || gradients.trains(layer.qkv())
                    || layer.queryNorm().filter(gradients::trains).isPresent()
                    || layer.keyNorm().filter(gradients::trains).isPresent();
        }

        private boolean trainsFeedForward(DecoderLayer layer) {
            return gradients.trains(layer.up()) || gradients.trains(layer.down());
        }

        void run(float[][] dEmbeddings) {
            try (Tensor dx = backend.allocate(tokens, config.hidden())) {
                pooled(dEmbeddings, dx);
                for (int i = config.layers() - 1; i >= Math.max(0, lowest); i--) {
                    cancellation.check();
                    layer(i, dx);
                }
                if (embedding) {
                    embedding(dx);
                }
            }
        }

        private void pooled(float[][] dEmbeddings, Tensor dx) {
            Tensor x = last.orElseThrow();
            int columns = Math.multiplyExact(modes.size(), config.embeddingWidth());
            float[] flat = new float[Math.multiplyExact(dEmbeddings.length, columns)];
            for (int i = 0; i < dEmbeddings.length; i++) {
                System.arraycopy(dEmbeddings[i], 0, flat, i * columns, columns);
            }
            try (Tensor dPooled = backend.upload(flat, dEmbeddings.length, columns)) {
                if (weights.projectOut().isEmpty()) {
                    backward.pool(x, weights.finalNorm(), sequences.rows(), skip, modes, dPooled, dx);
                } else {
                    throughProjection(x, weights.projectOut().get(), dPooled, dx);
                }
            }
            norm(x, weights.finalNorm(), dx);
        }

        private void throughProjection(Tensor x, Linear projection, Tensor dPooled, Tensor dStates) {
            try (Tensor outputs = projected(x);
                    Tensor dOutputs = backend.allocate(tokens, config.embeddingWidth())) {
                backward.pool(outputs, weights.gatherWidth(), sequences.rows(), skip, modes, dPooled, dOutputs);
                sums(projection, () -> normed(x, weights.finalNorm()), dOutputs);
                backward.linear(dOutputs, projection, false, dStates);
            }
        }

        /// The gradient through a norm, in place.
        private void norm(Tensor x, Norm norm, Tensor d) {
            sums(x, norm, d);
            backward.norm(x, norm, d, false, d);
        }

        private void sums(Tensor x, Norm norm, Tensor dOut) {
            gradients.bias(norm).ifPresent(sums -> backward.columnSums(dOut, sums));
            gradients.gain(norm).ifPresent(sums -> backward.gainSums(x, norm, dOut, sums));
        }

        /// @param input computes the projection's input again, which is closed here
        private void sums(Linear linear, Supplier<Tensor> input, Tensor dOut) {
            gradients.bias(linear).ifPresent(sums -> backward.columnSums(dOut, sums));
            gradients.matrix(linear).ifPresent(sums -> {
                try (Tensor x = input.get()) {
                    backward.weightSums(x, dOut, sums);
                }
            });
        }

        /// The output of a norm, computed again; the caller closes it.
        private Tensor normed(Tensor x, Norm norm) {
            Tensor out = backend.allocateInner(tokens, x.columns());
            try {
                backend.norm(x, norm, out);
                return out;
            } catch (RuntimeException | Error e) {
                out.close();
                throw e;
            }
        }

        private void layer(int index, Tensor dx) {
            DecoderLayer layer = weights.layers().get(index);
            Kept kept = layers.get(index);
            boolean below = index > lowest;
            // Whether the gradient of attention's input, of its projection's, and of feed-forward's input is needed.
            boolean attention = below || trainsAttention(layer);
            boolean projection = attention || gradients.trains(layer.attentionOut());
            boolean first = below || gradients.trains(layer.norm1());
            switch (config.residual()) {
                case SEQUENTIAL -> {
                    Tensor middle = kept.middle.orElseThrow();
                    Norm norm2 = layer.norm2().orElseThrow();
                    boolean second = projection || gradients.trains(norm2);
                    try (Tensor d = backend.allocateInner(tokens, config.hidden())) {
                        feedForward(layer, kept, () -> normed(middle, norm2), dx, second, false, d);
                        if (second) {
                            sums(middle, norm2, d);
                            backward.norm(middle, norm2, d, true, dx);
                        }
                        attention(layer, kept, () -> normed(kept.x, layer.norm1()), dx, first, false, d);
                        if (first) {
                            sums(kept.x, layer.norm1(), d);
                        }
                        if (below) {
                            backward.norm(kept.x, layer.norm1(), d, true, dx);
                        }
                    }
                }
                case SEQUENTIAL_FROM_NORM -> {
                    Tensor middle = kept.middle.orElseThrow();
                    Norm norm2 = layer.norm2().orElseThrow();
                    feedForward(layer, kept, () -> normed(middle, norm2), dx, true, true, dx);
                    norm(middle, norm2, dx);
                    attention(layer, kept, () -> normed(kept.x, layer.norm1()), dx, true, true, dx);
                    norm(kept.x, layer.norm1(), dx);
                }
                case SEQUENTIAL_POST_NORM -> {
                    Tensor middle = kept.middle.orElseThrow();
                    norm(kept.end.orElseThrow(), layer.norm2().orElseThrow(), dx);
                    feedForward(layer, kept, () -> normed(middle, layer.norm1()), dx, true, true, dx);
                    norm(middle, layer.norm1(), dx);
                    attention(layer, kept, () -> view(kept.x), dx, below, true, dx);
                }
                case PARALLEL_ONE_NORM -> {
                    try (Tensor d = backend.allocate(tokens, config.hidden())) {
                        Supplier<Tensor> input = () -> normed(kept.x, layer.norm1());
                        feedForward(layer, kept, input, dx, first, false, d);
                        attention(layer, kept, input, dx, first, true, d);
                        if (first) {
                            sums(kept.x, layer.norm1(), d);
                            backward.norm(kept.x, layer.norm1(), d, true, dx);
                        }
                    }
                }
                case PARALLEL_TWO_NORMS -> {
                    Norm norm2 = layer.norm2().orElseThrow();
                    boolean second = below || gradients.trains(norm2);
                    try (Tensor d1 = backend.allocateInner(tokens, config.hidden());
                            Tensor d2 = backend.allocateInner(tokens, config.hidden())) {
                        feedForward(layer, kept, () -> normed(kept.x, norm2), dx, second, false, d2);
                        attention(layer, kept, () -> normed(kept.x, layer.norm1()), dx, first, false, d1);
                        if (second) {
                            sums(kept.x, norm2, d2);
                        }
                        if (first) {
                            sums(kept.x, layer.norm1(), d1);
                        }
                        if (below) {
                            backward.norm(kept.x, norm2, d2, true, dx);
                            backward.norm(kept.x, layer.norm1(), d1, true, dx);
                        }
                    }
                }
            }
        }

        /// Closing it does nothing.
        private Tensor view(Tensor tensor) {
            return tensor.slice(0, tokens);
        }

        /// The gradient through feed-forward.
        ///
        /// @param input computes its input again
        /// @param dOut may be `dInput` if that is added to
        /// @param needed whether `dInput` is computed
        /// @param add whether to add to `dInput`
        private void feedForward(
                DecoderLayer layer,
                Kept kept,
                Supplier<Tensor> input,
                Tensor dOut,
                boolean needed,
                boolean add,
                Tensor dInput) {
            sums(layer.down(), () -> activated(kept.up), dOut);
            if (!needed && !gradients.trains(layer.up())) {
                return;
            }
            try (Tensor d = backend.allocateInner(tokens, config.feedForward())) {
                backward.linear(dOut, layer.down(), false, d);
                if (config.gated()) {
                    try (Tensor both = backend.allocateInner(tokens, layer.up().out())) {
                        backward.gatedActivation(kept.up, config.activation(), d, both);
                        through(layer.up(), input, both, needed, add, dInput);
                    }
                } else {
                    backward.activation(kept.up, config.activation(), d);
                    through(layer.up(), input, d, needed, add, dInput);
                }
            }
        }

        /// The activation's result, computed again; the caller closes it.
        private Tensor activated(Tensor up) {
            Tensor out = backend.allocateInner(tokens, config.feedForward());
            try {
                activate(up, out);
                return out;
            } catch (RuntimeException | Error e) {
                out.close();
                throw e;
            }
        }

        private void through(
                Linear linear, Supplier<Tensor> input, Tensor dOut, boolean needed, boolean add, Tensor dInput) {
            sums(linear, input, dOut);
            if (needed) {
                backward.linear(dOut, linear, add, dInput);
            }
        }

        /// The gradient through attention and its projections; parameters as for [#feedForward].
        private void attention(
                DecoderLayer layer,
                Kept kept,
                Supplier<Tensor> input,
                Tensor dOut,
                boolean needed,
                boolean add,
                Tensor dInput) {
            sums(layer.attentionOut(), () -> view(kept.attended), dOut);
            if (!needed && !trainsAttention(layer)) {
                return;
            }
            try (Tensor dAttended = backend.allocateInner(tokens, config.heads() * config.headDim());
                    Tensor dQkv = backend.allocateInner(tokens, config.qkvColumns())) {
                backward.linear(dOut, layer.attentionOut(), false, dAttended);
                backward.attention(kept.qkv, batch, layer.attention(), kept.attended, dAttended, dQkv);
                weights.rotary().ifPresent(rotary -> backend.rotary(dQkv, batch, inverse(rotary)));
                layer.queryNorm().ifPresent(norm -> headNorm(kept, 0, config.heads(), norm, dQkv));
                layer.keyNorm().ifPresent(norm -> headNorm(kept, firstKey(), config.kvHeads(), norm, dQkv));
                through(layer.qkv(), input, dQkv, needed, add, dInput);
            }
        }

        private void headNorm(Kept kept, int firstColumn, int heads, Norm norm, Tensor dQkv) {
            Tensor before = kept.unnormed.orElseThrow();
            gradients.gain(norm).ifPresent(sums -> backward.headGainSums(before, firstColumn, heads, norm, dQkv, sums));
            backward.headNorm(before, firstColumn, heads, norm, dQkv);
        }

        /// From the residual stream to the tables.
        private void embedding(Tensor dx) {
            weights.embeddingNorm().ifPresent(norm -> norm(embedded.orElseThrow(), norm, dx));
            if (config.positions() instanceof Positions.Learned learned) {
                weights.positions()
                        .flatMap(gradients::table)
                        .ifPresent(sums -> backward.positionSums(learned.offset(), batch, dx, sums));
            }
            Optional<Sums> table = gradients.table(weights.embedding());
            if (weights.projectIn().isEmpty()) {
                table.ifPresent(sums -> backward.embeddingSums(batch, dx, sums));
                return;
            }
            Linear projection = weights.projectIn().get();
            sums(projection, this::narrow, dx);
            table.ifPresent(sums -> {
                try (Tensor dNarrow = backend.allocate(tokens, config.embeddingWidth())) {
                    backward.linear(dx, projection, false, dNarrow);
                    backward.embeddingSums(batch, dNarrow, sums);
                }
            });
        }

        /// The embeddings of the tokens before their projection; the caller closes them.
        private Tensor narrow() {
            Tensor narrow = backend.allocate(tokens, config.embeddingWidth());
            try {
                backend.embed(weights.embedding(), batch, narrow);
                return narrow;
            } catch (RuntimeException | Error e) {
                narrow.close();
                throw e;
            }
        }
    }

    /// The rotation by the opposite angles, which is the transposed one: the scale stays.
    private static RotaryParameters inverse(RotaryParameters r) {
        double[] opposite = Arrays.stream(r.inverseFrequencies()).map(f -> -f).toArray();
        return new RotaryParameters(
                r.heads(), r.kvHeads(), r.headDim(), r.rotaryDim(), r.interleaved(), opposite, r.scale());
    }

    @Override
    public void close() {
        tensors.forEach(Tensor::close);
        tensors.clear();
    }
}
