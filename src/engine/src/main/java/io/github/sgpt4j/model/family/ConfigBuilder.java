package io.github.sgpt4j.model.family;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.HeadNorm;
import io.github.sgpt4j.model.family.DecoderConfig.Latents;
import io.github.sgpt4j.model.family.DecoderConfig.LayerAttention;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;
import io.github.sgpt4j.model.family.DecoderConfig.Visibility;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Builds a [DecoderConfig] from a family's configuration and the defaults of most families.
public final class ConfigBuilder {
    private final JsonFile config;
    private final int hidden;
    private final int layers;
    private final int heads;
    private final int headDim;
    private int embeddingWidth;
    private int kvHeads;
    private int feedForward;
    private int maxPositions;
    private NormParameters.Kind norm = NormParameters.Kind.LAYER;
    private float epsilon = 1e-5f;
    private boolean normAffine = true;
    private Positions positions = new Positions.Learned(0);
    private Activation activation = Activation.GELU;
    private boolean gated;
    private Residual residual = Residual.SEQUENTIAL;
    private List<LayerAttention> attention;
    private boolean embeddingNorm;
    private boolean finalNorm = true;
    private HeadNorm headNorm = HeadNorm.NONE;
    private float embeddingScale = 1f;
    private boolean gainFromOne;
    private float logitSoftcap;
    private Optional<Latents> latents = Optional.empty();
    private Bias bias = new Bias(true, true, true, false);
    private boolean tied = true;

    private ConfigBuilder(JsonFile config, int hidden, int layers, int heads, int headDim) {
        this.config = config;
        this.hidden = hidden;
        this.layers = layers;
        this.heads = heads;
        this.headDim = headDim;
        embeddingWidth = hidden;
        kvHeads = heads;
        if (layers > DecoderConfig.MAX_LAYERS) {
            throw new FormatException("%s: expected at most %d layers, got %d"
                    .formatted(config.path(), DecoderConfig.MAX_LAYERS, layers));
        }
        attention = Collections.nCopies(layers, new LayerAttention((float) (1 / Math.sqrt(headDim)), 0));
    }

    /// For heads that divide the hidden size.
    static ConfigBuilder of(JsonFile c, int hidden, int layers, int heads) {
        return of(c, hidden, layers, heads, headDim(c, hidden, heads));
    }

    /// For heads of any size.
    static ConfigBuilder of(JsonFile c, int hidden, int layers, int heads, int headDim) {
        checkHeads(c, heads, headDim);
        return new ConfigBuilder(c, hidden, layers, heads, headDim);
    }

    /// Dimensions of a head, for heads that divide the hidden size.
    static int headDim(JsonFile c, int hidden, int heads) {
        if (hidden > DecoderConfig.MAX_DIMENSION) {
            throw new FormatException("%s: expected a hidden size of at most %d, got %d"
                    .formatted(c.path(), DecoderConfig.MAX_DIMENSION, hidden));
        }
        if (hidden % heads != 0) {
            throw new FormatException("%s: expected a hidden size that is a multiple of %d heads, got %d"
                    .formatted(c.path(), heads, hidden));
        }
        checkHeads(c, heads, hidden / heads);
        return hidden / heads;
    }

    /// Checked early: tables are allocated from these numbers before any tensor can contradict them.
    private static void checkHeads(JsonFile c, int heads, int headDim) {
        if (heads > DecoderConfig.MAX_HEADS) {
            throw new FormatException(
                    "%s: expected at most %d heads, got %d".formatted(c.path(), DecoderConfig.MAX_HEADS, heads));
        }
        if (headDim > DecoderConfig.MAX_HEAD_DIM) {
            throw new FormatException("%s: expected a head size of at most %d, got %d"
                    .formatted(c.path(), DecoderConfig.MAX_HEAD_DIM, headDim));
        }
    }

    int layers() {
        return layers;
    }

    ConfigBuilder embeddingWidth(int value) {
        embeddingWidth = value;
        return this;
    }

    ConfigBuilder kvHeads(int value) {
        kvHeads = value;
        return this;
    }

    ConfigBuilder feedForward(int value) {
        feedForward = value;
        return this;
    }

    ConfigBuilder maxPositions(int value) {
        maxPositions = value;
        return this;
    }

    ConfigBuilder norm(NormParameters.Kind kind, double eps) {
        norm = kind;
        epsilon = (float) eps;
        return this;
    }

    /// Layer norms with the epsilon stated in the file, or 1e-5.
    ConfigBuilder layerNorm(String key) {
        return norm(NormParameters.Kind.LAYER, config.positiveNumber(1e-5, key));
    }

    ConfigBuilder normAffine(boolean value) {
        normAffine = value;
        return this;
    }

    ConfigBuilder positions(Positions value) {
        positions = value;
        return this;
    }

    ConfigBuilder activation(Activation value) {
        activation = value;
        return this;
    }

    ConfigBuilder gated() {
        gated = true;
        return this;
    }

    ConfigBuilder residual(Residual value) {
        residual = value;
        return this;
    }

    ConfigBuilder attention(List<LayerAttention> value) {
        attention = value;
        return this;
    }

    /// Sets the window of each layer, with the usual scale.
    ConfigBuilder windows(List<Integer> windows) {
        return windows(windows, 1 / Math.sqrt(headDim));
    }

    /// Sets the window and the scale of each layer.
    ConfigBuilder windows(List<Integer> windows, double scale) {
        attention =
                windows.stream().map(w -> new LayerAttention((float) scale, w)).toList();
        return this;
    }

    /// Changes the attention of each layer.
    ConfigBuilder eachLayer(UnaryOperator<LayerAttention> change) {
        attention = attention.stream().map(change).toList();
        return this;
    }

    ConfigBuilder embeddingNorm() {
        embeddingNorm = true;
        return this;
    }

    ConfigBuilder noFinalNorm() {
        finalNorm = false;
        return this;
    }

    ConfigBuilder headNorm(HeadNorm value) {
        headNorm = value;
        return this;
    }

    ConfigBuilder embeddingScale(double value) {
        embeddingScale = (float) value;
        return this;
    }

    /// Norms multiply by 1 + gain.
    ConfigBuilder gainFromOne() {
        gainFromOne = true;
        return this;
    }

    ConfigBuilder latents(Latents value) {
        latents = Optional.of(value);
        return this;
    }

    /// Sets the bound of logits, 0 for none.
    ConfigBuilder logitSoftcap(double value) {
        logitSoftcap = (float) value;
        return this;
    }

    ConfigBuilder bias(Bias value) {
        bias = value;
        return this;
    }

    /// Sets whether the head is the embedding table by default.
    ConfigBuilder tied(boolean fallback) {
        tied = fallback;
        return this;
    }

    /// @throws FormatException if sizes are out of range or inconsistent
    DecoderConfig build() {
        try {
            return config();
        } catch (IllegalArgumentException e) {
            throw new FormatException("%s: %s".formatted(config.path(), e.getMessage()), e);
        }
    }

    private DecoderConfig config() {
        Directions directions = Directions.of(config);
        if (directions.wholeTexts()) {
            eachLayer(layer -> layer.withWideWindow(0));
        }
        Visibility visibility = directions.visibility();
        return new DecoderConfig(
                config.text("model_type", ""),
                hidden,
                embeddingWidth,
                layers,
                heads,
                kvHeads,
                headDim,
                feedForward,
                config.positiveInt("vocab_size"),
                maxPositions,
                norm,
                epsilon,
                normAffine,
                positions,
                activation,
                gated,
                residual,
                attention,
                embeddingNorm,
                finalNorm,
                headNorm,
                bias,
                config.bool("tie_word_embeddings", tied),
                visibility,
                embeddingScale,
                gainFromOne,
                latents,
                logitSoftcap);
    }
}
