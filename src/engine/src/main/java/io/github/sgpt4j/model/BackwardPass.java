package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Positions;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;

/// The way back of a [GradientPass]. A gradient is computed only if something that is trained depends on it.
final class BackwardPass {
    private final GradientPass pass;
    private final DecoderConfig config;
    private final DecoderWeights weights;
    private final Backend backend;
    private final Backward backward;
    private final Cancellation cancellation;
    private final Gradients gradients;
    private final Batch batch;
    private final int tokens;
    /// Whether something up to the norm after the embedding is trained.
    private final boolean embedding;
    /// The lowest layer with something trained; −1 if gradients go further down.
    private final int lowest;

    /// @param pass after its forward pass; borrowed, like the others
    BackwardPass(
            GradientPass pass,
            DecoderWeights weights,
            Backend backend,
            Backward backward,
            Cancellation cancellation,
            Gradients gradients,
            Batch batch) {
        this.pass = pass;
        this.weights = weights;
        this.backend = backend;
        this.backward = backward;
        this.cancellation = cancellation;
        this.gradients = gradients;
        this.batch = batch;
        config = weights.config();
        tokens = pass.sequences().packed().tokens();
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
        Tensor x = pass.last().orElseThrow();
        int columns = Math.multiplyExact(pass.modes().size(), config.embeddingWidth());
        float[] flat = new float[Math.multiplyExact(dEmbeddings.length, columns)];
        for (int i = 0; i < dEmbeddings.length; i++) {
            System.arraycopy(dEmbeddings[i], 0, flat, i * columns, columns);
        }
        try (Tensor dPooled = backend.upload(flat, dEmbeddings.length, columns)) {
            if (weights.projectOut().isEmpty()) {
                backward.pool(x, weights.finalNorm(), pass.sequences().rows(), pass.skip(), pass.modes(), dPooled, dx);
            } else {
                throughProjection(x, weights.projectOut().get(), dPooled, dx);
            }
        }
        norm(x, weights.finalNorm(), dx);
    }

    private void throughProjection(Tensor x, Linear projection, Tensor dPooled, Tensor dStates) {
        try (Tensor outputs = pass.projected(x);
                Tensor dOutputs = backend.allocate(tokens, config.embeddingWidth())) {
            backward.pool(
                    outputs,
                    weights.gatherWidth(),
                    pass.sequences().rows(),
                    pass.skip(),
                    pass.modes(),
                    dPooled,
                    dOutputs);
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
        return GradientPass.filled(backend.allocateInner(tokens, x.columns()), out -> backend.norm(x, norm, out));
    }

    private void layer(int index, Tensor dx) {
        DecoderLayer layer = weights.layers().get(index);
        GradientPass.Kept kept = pass.layers().get(index);
        boolean below = index > lowest;
        // Whether the gradient of attention's input, of its projection's, and of feed-forward's input is needed.
        boolean attention = below || trainsAttention(layer);
        boolean projection = attention || gradients.trains(layer.attentionOut());
        boolean first = below || gradients.trains(layer.norm1());
        switch (config.residual()) {
            case SEQUENTIAL -> {
                Tensor middle = kept.middle().orElseThrow();
                Norm norm2 = layer.norm2().orElseThrow();
                boolean second = projection || gradients.trains(norm2);
                try (Tensor d = backend.allocateInner(tokens, config.hidden())) {
                    feedForward(layer, kept, () -> normed(middle, norm2), dx, second, false, d);
                    if (second) {
                        sums(middle, norm2, d);
                        backward.norm(middle, norm2, d, true, dx);
                    }
                    attention(layer, kept, () -> normed(kept.x(), layer.norm1()), dx, first, false, d);
                    if (first) {
                        sums(kept.x(), layer.norm1(), d);
                    }
                    if (below) {
                        backward.norm(kept.x(), layer.norm1(), d, true, dx);
                    }
                }
            }
            case SEQUENTIAL_FROM_NORM -> {
                Tensor middle = kept.middle().orElseThrow();
                Norm norm2 = layer.norm2().orElseThrow();
                feedForward(layer, kept, () -> normed(middle, norm2), dx, true, true, dx);
                norm(middle, norm2, dx);
                attention(layer, kept, () -> normed(kept.x(), layer.norm1()), dx, true, true, dx);
                norm(kept.x(), layer.norm1(), dx);
            }
            case SEQUENTIAL_POST_NORM -> {
                Tensor middle = kept.middle().orElseThrow();
                norm(kept.end().orElseThrow(), layer.norm2().orElseThrow(), dx);
                feedForward(layer, kept, () -> normed(middle, layer.norm1()), dx, true, true, dx);
                norm(middle, layer.norm1(), dx);
                attention(layer, kept, () -> view(kept.x()), dx, below, true, dx);
            }
            case SEQUENTIAL_NORMED_OUTPUTS, SEQUENTIAL_FOUR_NORMS ->
                throw new IllegalStateException(config.residual() + " has no gradient");
            case PARALLEL_ONE_NORM -> {
                try (Tensor d = backend.allocate(tokens, config.hidden())) {
                    Supplier<Tensor> input = () -> normed(kept.x(), layer.norm1());
                    feedForward(layer, kept, input, dx, first, false, d);
                    attention(layer, kept, input, dx, first, true, d);
                    if (first) {
                        sums(kept.x(), layer.norm1(), d);
                        backward.norm(kept.x(), layer.norm1(), d, true, dx);
                    }
                }
            }
            case PARALLEL_TWO_NORMS -> {
                Norm norm2 = layer.norm2().orElseThrow();
                boolean second = below || gradients.trains(norm2);
                try (Tensor d1 = backend.allocateInner(tokens, config.hidden());
                        Tensor d2 = backend.allocateInner(tokens, config.hidden())) {
                    feedForward(layer, kept, () -> normed(kept.x(), norm2), dx, second, false, d2);
                    attention(layer, kept, () -> normed(kept.x(), layer.norm1()), dx, first, false, d1);
                    if (second) {
                        sums(kept.x(), norm2, d2);
                    }
                    if (first) {
                        sums(kept.x(), layer.norm1(), d1);
                    }
                    if (below) {
                        backward.norm(kept.x(), norm2, d2, true, dx);
                        backward.norm(kept.x(), layer.norm1(), d1, true, dx);
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
            GradientPass.Kept kept,
            Supplier<Tensor> input,
            Tensor dOut,
            boolean needed,
            boolean add,
            Tensor dInput) {
        sums(layer.down(), () -> activated(kept.up()), dOut);
        if (!needed && !gradients.trains(layer.up())) {
            return;
        }
        try (Tensor d = backend.allocateInner(tokens, config.feedForward())) {
            backward.linear(dOut, layer.down(), false, d);
            if (config.gated()) {
                try (Tensor both = backend.allocateInner(tokens, layer.up().out())) {
                    backward.gatedActivation(kept.up(), config.activation(), d, both);
                    through(layer.up(), input, both, needed, add, dInput);
                }
            } else {
                backward.activation(kept.up(), config.activation(), d);
                through(layer.up(), input, d, needed, add, dInput);
            }
        }
    }

    /// The activation's result, computed again; the caller closes it.
    private Tensor activated(Tensor up) {
        return GradientPass.filled(backend.allocateInner(tokens, config.feedForward()), out -> pass.activate(up, out));
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
            GradientPass.Kept kept,
            Supplier<Tensor> input,
            Tensor dOut,
            boolean needed,
            boolean add,
            Tensor dInput) {
        sums(layer.attentionOut(), () -> view(kept.attended()), dOut);
        if (!needed && !trainsAttention(layer)) {
            return;
        }
        try (Tensor dAttended = backend.allocateInner(tokens, config.heads() * config.headDim());
                Tensor dQkv = backend.allocateInner(tokens, config.qkvColumns())) {
            backward.linear(dOut, layer.attentionOut(), false, dAttended);
            backward.attention(kept.qkv(), batch, layer.attention(), kept.attended(), dAttended, dQkv);
            weights.rotary().ifPresent(rotary -> backend.rotary(dQkv, batch, inverse(rotary)));
            layer.queryNorm().ifPresent(norm -> headNorm(kept, 0, config.heads(), norm, dQkv));
            layer.keyNorm().ifPresent(norm -> headNorm(kept, pass.firstKey(), config.kvHeads(), norm, dQkv));
            through(layer.qkv(), input, dQkv, needed, add, dInput);
        }
    }

    private void headNorm(GradientPass.Kept kept, int firstColumn, int heads, Norm norm, Tensor dQkv) {
        Tensor before = kept.unnormed().orElseThrow();
        gradients.gain(norm).ifPresent(sums -> backward.headGainSums(before, firstColumn, heads, norm, dQkv, sums));
        backward.headNorm(before, firstColumn, heads, norm, dQkv);
    }

    /// From the residual stream to the tables.
    private void embedding(Tensor dx) {
        weights.embeddingNorm().ifPresent(norm -> norm(pass.embedded().orElseThrow(), norm, dx));
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
        return GradientPass.filled(
                backend.allocate(tokens, config.embeddingWidth()),
                out -> backend.embed(weights.embedding(), batch, out));
    }

    /// The rotation by the opposite angles, which is the transposed one: the scale stays.
    private static RotaryParameters inverse(RotaryParameters r) {
        double[] opposite = Arrays.stream(r.inverseFrequencies()).map(f -> -f).toArray();
        return new RotaryParameters(
                r.heads(), r.kvHeads(), r.headDim(), r.rotaryDim(), r.interleaved(), opposite, r.scale());
    }
}
