package io.github.sgpt4j.model.family;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.NormParameters;
import java.util.List;
import java.util.Optional;

/// Everything the forward pass needs to know about a model of any family. See DESIGN's family table: a
/// family fills this record and [TensorNames].
///
/// @param modelType `model_type` of config.json
/// @param hidden width of the residual stream
/// @param embeddingWidth width of token embeddings and of the states that leave the model; differs from
///     `hidden` only if there are projections between them (OPT-350m)
/// @param layers number of layers
/// @param heads query heads
/// @param kvHeads key and value heads, a divisor of `heads`
/// @param headDim dimensions of a head
/// @param feedForward inner width of the feed-forward block
/// @param vocabulary rows of the embedding table
/// @param maxPositions the length that the model was trained for; for longer sequences see [#longest]
/// @param norm kind of all norms
/// @param epsilon epsilon of all norms
/// @param normAffine whether norms have gain and bias tensors
/// @param positions position information
/// @param activation activation function of the feed-forward block
/// @param gated whether feed-forward is `down(activation(gate(x)) · up(x))`
/// @param residual how attention and feed-forward are joined
/// @param attention scale and window of each layer, `[layers]`
/// @param embeddingNorm whether a norm follows the embedding (BLOOM)
/// @param finalNorm whether a norm follows the last layer
/// @param headNorm whether queries and keys are normed
/// @param bias which projections have biases
/// @param tiedHead whether the output head is the embedding table
/// @param visibility which tokens a token attends to
/// @param embeddingScale factor on token embeddings (Gemma: √hidden)
/// @param gainFromOne whether norms multiply by 1 + gain (Gemma)
/// @param latents latent attention before pooling (NV-Embed), or empty
/// @param logitSoftcap bound of logits (Gemma 2), 0 for none: `logitSoftcap · tanh(logit /
///     logitSoftcap)`
public record DecoderConfig(
        String modelType,
        int hidden,
        int embeddingWidth,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int feedForward,
        int vocabulary,
        int maxPositions,
        NormParameters.Kind norm,
        float epsilon,
        boolean normAffine,
        Positions positions,
        Activation activation,
        boolean gated,
        Residual residual,
        List<LayerAttention> attention,
        boolean embeddingNorm,
        boolean finalNorm,
        HeadNorm headNorm,
        Bias bias,
        boolean tiedHead,
        Visibility visibility,
        float embeddingScale,
        boolean gainFromOne,
        Optional<Latents> latents,
        float logitSoftcap) {
    /// How a layer's two blocks are joined to the residual stream x.
    public enum Residual {
        /// x += attention(norm1(x)); x += feedForward(norm2(x))
        SEQUENTIAL,
        /// As SEQUENTIAL, but each sum starts from the norm's output instead of x (early BLOOM)
        SEQUENTIAL_FROM_NORM,
        /// x = norm1(x + attention(x)); x = norm2(x + feedForward(x)) (OPT-350m)
        SEQUENTIAL_POST_NORM,
        /// x += norm1(attention(x)); x += norm2(feedForward(x)) (OLMo 2)
        SEQUENTIAL_NORMED_OUTPUTS,
        /// x += outputNorm1(attention(norm1(x))); x += outputNorm2(feedForward(norm2(x))) (Gemma 2 and
        /// 3)
        SEQUENTIAL_FOUR_NORMS,
        /// x += attention(norm1(x)) + feedForward(norm1(x)) (GPT-J)
        PARALLEL_ONE_NORM,
        /// x += attention(norm1(x)) + feedForward(norm2(x)) (GPT-NeoX)
        PARALLEL_TWO_NORMS
    }

    /// Norms of queries and keys.
    public enum HeadNorm {
        NONE,
        /// Each head by itself (Qwen3, Gemma 3)
        EACH,
        /// All heads together (OLMo 2)
        ALL
    }

    /// Which tokens of a text a token attends to, within each layer's window.
    public enum Visibility {
        /// Itself and earlier ones
        CAUSAL,
        /// All
        BIDIRECTIONAL,
        /// All for embeddings, itself and earlier ones to predict tokens (GritLM, arXiv 2402.09906)
        BIDIRECTIONAL_STATES;

        /// Whether tokens attend to later ones in passes whose states become embeddings or scores.
        public boolean ofStates() {
            return this != CAUSAL;
        }

        /// Whether tokens attend to later ones in passes that predict tokens.
        public boolean ofPredictions() {
            return this == BIDIRECTIONAL;
        }
    }

    /// One layer's attention.
    ///
    /// @param scale factor on query-key products
    /// @param window distance from which on earlier tokens are not seen; 0 for all
    /// @param wideWindow the same where tokens attend to later ones, too
    /// @param softcap bound of scores (Gemma 2), 0 for none
    /// @param rotary rotation of this layer's queries and keys, if it is not the model's
    public record LayerAttention(
            float scale, int window, int wideWindow, float softcap, Optional<Positions.Rotary> rotary) {
        /// As most layers: scores without a bound, the model's rotation. In both directions `w` tokens
        /// on each side
        /// are seen, as in transformers' `sliding_window_bidirectional_mask`.
        public LayerAttention(float scale, int window) {
            this(scale, window, window == 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, window + 1L), 0f, Optional.empty());
        }

        LayerAttention withWideWindow(int value) {
            return new LayerAttention(scale, window, value, softcap, rotary);
        }

        LayerAttention withSoftcap(double value) {
            return new LayerAttention(scale, window, wideWindow, (float) value, rotary);
        }

        LayerAttention withRotary(Positions.Rotary value) {
            return new LayerAttention(scale, window, wideWindow, softcap, Optional.of(value));
        }
    }

    /// Latent attention of NV-Embed (arXiv 2405.17428), over the final states.
    ///
    /// @param count number of latent vectors
    /// @param heads heads of its attention
    /// @param headDim dimensions of a head
    /// @param feedForward inner width of its feed-forward block
    public record Latents(int count, int heads, int headDim, int feedForward) {
        public Latents {
            check("number of latents", count, MAX_DIMENSION);
            check("number of heads of latent attention", heads, MAX_HEADS);
            check("head size of latent attention", headDim, MAX_HEAD_DIM);
            check("columns of latent attention", 2L * heads * headDim, MAX_DIMENSION);
            check("scores of latent attention", (long) heads * count, MAX_DIMENSION);
            check("feed-forward size of latent attention", feedForward, MAX_DIMENSION);
        }
    }

    /// Which projections have biases.
    public record Bias(boolean qkv, boolean attentionOut, boolean feedForward, boolean head) {}

    /// A file with larger dimensions is considered broken.
    static final int MAX_DIMENSION = 1 << 24;

    /// Maximum number of heads and maximum dimensions of a head; well above those of any model.
    static final int MAX_HEADS = 1 << 16;

    static final int MAX_HEAD_DIM = 1 << 16;

    static final int MAX_LAYERS = 10_000;

    /// Maximum window of attention; no text is longer.
    private static final int MAX_WINDOW = 1 << 30;

    /// @throws IllegalArgumentException if a size is out of range or sizes are inconsistent
    public DecoderConfig {
        check("hidden size", hidden, MAX_DIMENSION);
        check("embedding width", embeddingWidth, MAX_DIMENSION);
        check("number of layers", layers, MAX_LAYERS);
        check("number of heads", heads, MAX_HEADS);
        check("number of key heads", kvHeads, heads);
        check("head size", headDim, MAX_HEAD_DIM);
        check("feed-forward size", feedForward, MAX_DIMENSION);
        check("vocabulary size", vocabulary, MAX_DIMENSION);
        check("number of positions", maxPositions, Integer.MAX_VALUE / 2);
        check("columns of queries, keys and values", (heads + 2L * kvHeads) * headDim, MAX_DIMENSION);
        if (!(epsilon > 0) || Float.isInfinite(epsilon)) {
            throw new IllegalArgumentException(
                    "expected an epsilon of norms in the range of 32-bit floats, got %s".formatted(epsilon));
        }
        if (!Float.isFinite(embeddingScale) || !(logitSoftcap >= 0) || Float.isInfinite(logitSoftcap)) {
            throw new IllegalArgumentException(
                    "expected a finite scale of embeddings and a finite bound of logits, got %s and %s"
                            .formatted(embeddingScale, logitSoftcap));
        }
        if (heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "expected heads (%d) to be a multiple of key heads (%d)".formatted(heads, kvHeads));
        }
        if (attention.size() != layers) {
            throw new IllegalArgumentException(
                    "expected the attention of %d layers, got %d".formatted(layers, attention.size()));
        }
        for (LayerAttention layer : attention) {
            if (layer.window > MAX_WINDOW || layer.wideWindow > MAX_WINDOW) {
                throw new IllegalArgumentException("expected a window of attention of at most %d tokens, got %d"
                        .formatted(MAX_WINDOW - 1, layer.window));
            }
        }
        attention = List.copyOf(attention);
    }

    private static void check(String what, long value, long maximum) {
        if (value < 1 || value > maximum) {
            throw new IllegalArgumentException("expected a %s from 1 to %d, got %d".formatted(what, maximum, value));
        }
    }

    /// Maximum tokens if positions are unlimited. Longer sequences are considered a mistake: their
    /// angles alone would take a gigabyte.
    private static final int MAX_TOKENS = 1 << 20;

    /// Maximum tokens of a sequence: the rows of a table of positions, or many more if positions are
    /// unlimited.
    public int longest() {
        return positions.unlimited() ? Math.max(maxPositions, MAX_TOKENS) : maxPositions;
    }

    /// Why the decoder cannot be trained, or empty if it can: only these parts have gradients.
    public Optional<String> untrainable() {
        if (visibility != Visibility.CAUSAL) {
            return Optional.of("attention to later tokens");
        }
        if (attention.stream().anyMatch(layer -> layer.softcap > 0 || layer.rotary.isPresent())) {
            return Optional.of("layers whose attention scores have a bound, or with rotations of their own");
        }
        boolean sequential =
                residual != Residual.SEQUENTIAL_FOUR_NORMS && residual != Residual.SEQUENTIAL_NORMED_OUTPUTS;
        if (!sequential || gainFromOne || headNorm == HeadNorm.ALL || embeddingScale != 1) {
            return Optional.of("norms or a scale of embeddings as in Gemma or OLMo 2");
        }
        return Optional.empty();
    }

    /// Columns of all query, key and value heads together.
    public int qkvColumns() {
        return (heads + 2 * kvHeads) * headDim;
    }

    /// Columns that one norm of `heads` query or key heads covers.
    public int headNormColumns(int ofHeads) {
        return headNorm == HeadNorm.ALL ? ofHeads * headDim : headDim;
    }

    public boolean hasEmbeddingProjection() {
        return embeddingWidth != hidden;
    }
}
