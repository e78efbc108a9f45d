package io.github.sgpt4j.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.model.DecoderConfig.Bias;
import io.github.sgpt4j.model.DecoderConfig.LayerAttention;
import io.github.sgpt4j.model.DecoderConfig.Residual;
import io.github.sgpt4j.weights.Quoted;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Reads each family's config.json, as transformers' `configuration_*.py` defines it: the same keys, older synonyms
/// and defaults.
final class FamilyConfigs {
    private FamilyConfigs() {}

    static DecoderConfig gpt2(JsonFile c) {
        int hidden = c.positiveInt("n_embd", "hidden_size");
        int layers = c.positiveInt("n_layer", "num_hidden_layers");
        int heads = c.positiveInt("n_head", "num_attention_heads");
        int headDim = divide(c, hidden, heads);
        double scale = c.bool("scale_attn_weights", true) ? 1 / Math.sqrt(headDim) : 1;
        boolean byLayer = c.bool("scale_attn_by_inverse_layer_idx", false);
        if (c.bool("add_cross_attention", false)) {
            throw Family.unsupported(c, "add_cross_attention", "there is no encoder to attend to");
        }
        List<LayerAttention> attention = new ArrayList<>();
        for (int i = 0; i < Math.min(layers, 10_001); i++) {
            attention.add(new LayerAttention((float) (byLayer ? scale / (i + 1) : scale), 0));
        }
        return new ConfigBuilder(c, hidden, layers, heads, headDim)
                .feedForward(c.positiveInt(4 * hidden, "n_inner"))
                .maxPositions(gpt2Positions(c))
                .layerNorm("layer_norm_epsilon")
                .positions(new Positions.Learned(0))
                .activation(Family.activation(c, "activation_function", "gelu_new"))
                .attention(attention)
                .bias(new Bias(true, true, true, false))
                .build();
    }

    /// Before transformers 4, `n_ctx` was the length that attention was made for; it is not looked at where the rows
    /// of the table are stated.
    private static int gpt2Positions(JsonFile c) {
        boolean stated = c.has("n_positions") || c.has("max_position_embeddings") || !c.has("n_ctx");
        return stated ? c.positiveInt("n_positions", "max_position_embeddings") : c.positiveInt("n_ctx");
    }

    static DecoderConfig gptNeo(JsonFile c) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_layers", "num_hidden_layers");
        int heads = c.positiveInt("num_heads", "num_attention_heads");
        return new ConfigBuilder(c, hidden, layers, heads, divide(c, hidden, heads))
                .feedForward(c.positiveInt(4 * hidden, "intermediate_size"))
                .maxPositions(c.positiveInt("max_position_embeddings"))
                .layerNorm("layer_norm_epsilon")
                .positions(new Positions.Learned(0))
                .activation(Family.activation(c, "activation_function", "gelu_new"))
                .attention(gptNeoAttention(c, layers))
                .bias(new Bias(false, true, true, false))
                .build();
    }

    /// `attention_types` is a list of [kinds, repetitions]; queries are not scaled.
    private static List<LayerAttention> gptNeoAttention(JsonFile c, int layers) {
        int window = c.positiveInt(256, "window_size");
        JsonNode types = c.node("attention_types")
                .orElseThrow(() ->
                        new FormatException("%s: expected key \"attention_types\", found none".formatted(c.path())));
        List<LayerAttention> result = new ArrayList<>();
        if (!types.isArray()) {
            throw c.wrong("attention_types", "lists of [kinds, repetitions]", types);
        }
        for (JsonNode item : types) {
            if (!item.isArray()
                    || item.size() != 2
                    || !item.get(0).isArray()
                    || !item.get(1).isInt()) {
                throw c.wrong("attention_types", "lists of [kinds, repetitions]", types);
            }
            for (int r = 0; r < item.get(1).intValue() && result.size() <= layers; r++) {
                for (JsonNode kind : item.get(0)) {
                    result.add(new LayerAttention(
                            1f,
                            switch (kind.asText()) {
                                case "global" -> 0;
                                case "local" -> window;
                                default -> throw c.wrong("attention_types", "\"global\" or \"local\"", kind);
                            }));
                }
                if (item.get(0).isEmpty()) {
                    break;
                }
            }
        }
        if (result.size() != layers) {
            throw c.wrong("attention_types", "kinds for " + layers + " layers", types);
        }
        JsonNode kinds = c.node("attention_layers").orElse(null);
        if (kinds != null && !sameKinds(kinds, result)) {
            throw c.wrong("attention_layers", "the kinds that \"attention_types\" says", kinds);
        }
        return result;
    }

    /// Whether `attention_layers`, which transformers writes beside `attention_types`, says the same.
    private static boolean sameKinds(JsonNode kinds, List<LayerAttention> attention) {
        if (kinds.size() != attention.size()) {
            return false;
        }
        for (int i = 0; i < attention.size(); i++) {
            if (!kinds.get(i).asText().equals(attention.get(i).window() == 0 ? "global" : "local")) {
                return false;
            }
        }
        return true;
    }

    static DecoderConfig gptJ(JsonFile c) {
        int hidden = c.positiveInt("n_embd", "hidden_size");
        int layers = c.positiveInt("n_layer", "num_hidden_layers");
        int heads = c.positiveInt("n_head", "num_attention_heads");
        int headDim = divide(c, hidden, heads);
        if (c.isNull("rotary_dim")) {
            throw Family.unsupported(c, "rotary_dim", "expected the number of rotated dimensions of a head");
        }
        int rotary = c.positiveInt(64, "rotary_dim");
        if (rotary % 2 != 0 || rotary > headDim) {
            throw new FormatException("%s: key \"rotary_dim\": expected an even number up to the head size %d, got %d"
                    .formatted(c.path(), headDim, rotary));
        }
        return new ConfigBuilder(c, hidden, layers, heads, headDim)
                .feedForward(c.positiveInt(4 * hidden, "n_inner"))
                .maxPositions(c.positiveInt("n_positions", "max_position_embeddings"))
                .layerNorm("layer_norm_epsilon")
                .positions(new Positions.Rotary(rotary, true, RotaryFrequencies.plain(rotary, 10000), 1f, true))
                .activation(Family.activation(c, "activation_function", "gelu_new"))
                .residual(Residual.PARALLEL_ONE_NORM)
                .bias(new Bias(false, false, true, true))
                .tied(false)
                .build();
    }

    static DecoderConfig bloom(JsonFile c) {
        int hidden = c.positiveInt("n_embed", "hidden_size");
        int layers = c.positiveInt("n_layer", "num_hidden_layers");
        int heads = c.positiveInt("n_head", "num_attention_heads");
        boolean fromNorm = c.bool("apply_residual_connection_post_layernorm", false);
        int slices = c.positiveInt(1, "pretraining_tp");
        if (c.bool("slow_but_exact", false) && slices > 1) {
            throw Family.unsupported(c, "slow_but_exact", "with \"pretraining_tp\" above 1 biases are left out");
        }
        return new ConfigBuilder(c, hidden, layers, heads, divide(c, hidden, heads))
                .feedForward(4 * hidden)
                // What it was trained with; texts may be longer.
                .maxPositions(c.positiveInt(2048, "seq_length"))
                .layerNorm("layer_norm_epsilon")
                .positions(Positions.Alibi.forHeads(heads))
                .activation(Activation.GELU_TANH)
                .residual(fromNorm ? Residual.SEQUENTIAL_FROM_NORM : Residual.SEQUENTIAL)
                .embeddingNorm()
                .bias(new Bias(true, true, true, false))
                .build();
    }

    static DecoderConfig gptNeoX(JsonFile c) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        int headDim = divide(c, hidden, heads);
        int maxPositions = c.positiveInt("max_position_embeddings");
        boolean bias = c.bool("attention_bias", true);
        return new ConfigBuilder(c, hidden, layers, heads, headDim)
                .feedForward(c.positiveInt("intermediate_size"))
                .maxPositions(maxPositions)
                .layerNorm("layer_norm_eps")
                .positions(RotaryFrequencies.gptNeoX(c, headDim, maxPositions))
                .activation(Family.activation(c, "hidden_act", "gelu"))
                .residual(c.bool("use_parallel_residual", true) ? Residual.PARALLEL_TWO_NORMS : Residual.SEQUENTIAL)
                .bias(new Bias(bias, bias, true, false))
                .tied(false)
                .build();
    }

    static DecoderConfig opt(JsonFile c) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        boolean bias = c.bool("enable_bias", true);
        boolean before = c.bool("do_layer_norm_before", true);
        ConfigBuilder builder = new ConfigBuilder(c, hidden, layers, heads, divide(c, hidden, heads))
                .feedForward(c.positiveInt("ffn_dim"))
                .embeddingWidth(c.positiveInt(hidden, "word_embed_proj_dim"))
                .maxPositions(c.positiveInt("max_position_embeddings"))
                .positions(new Positions.Learned(2))
                .activation(Family.activation(c, "activation_function", "relu"))
                .normAffine(c.bool("layer_norm_elementwise_affine", true))
                .residual(before ? Residual.SEQUENTIAL : Residual.SEQUENTIAL_POST_NORM)
                .bias(new Bias(bias, bias, bias, false));
        return before && !c.bool("_remove_final_layer_norm", false)
                ? builder.build()
                : builder.noFinalNorm().build();
    }

    static DecoderConfig llama(JsonFile c) {
        boolean bias = c.bool("attention_bias", false);
        return rmsNormFamily(c, new Bias(bias, bias, c.bool("mlp_bias", false), false), 0, headDim(c))
                .build();
    }

    static DecoderConfig mistral(JsonFile c) {
        ConfigBuilder builder = rmsNormFamily(c, new Bias(false, false, false, false), 8, headDim(c));
        int window = c.isNull("sliding_window") ? 0 : c.positiveInt(4096, "sliding_window");
        return builder.windows(Collections.nCopies(builder.layers(), window)).build();
    }

    static DecoderConfig qwen2(JsonFile c) {
        ConfigBuilder builder = rmsNormFamily(c, new Bias(true, false, false, false), 32, headDim(c));
        return builder.windows(slidingWindows(c, builder.layers())).build();
    }

    static DecoderConfig qwen3(JsonFile c) {
        boolean bias = c.bool("attention_bias", false);
        ConfigBuilder builder = rmsNormFamily(c, new Bias(bias, bias, false, false), 32, c.positiveInt(128, "head_dim"))
                .headNorm();
        return builder.windows(slidingWindows(c, builder.layers())).build();
    }

    /// Llama's parts.
    ///
    /// @param defaultKvHeads key heads if the key is missing; 0, or a `null` in the file, for one per query head
    /// @param headDim dimensions of a head
    private static ConfigBuilder rmsNormFamily(JsonFile c, Bias bias, int defaultKvHeads, int headDim) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        checkHeads(c, heads, headDim);
        int maxPositions = c.positiveInt("max_position_embeddings");
        int kvHeads = defaultKvHeads == 0 || c.isNull("num_key_value_heads") ? heads : defaultKvHeads;
        return new ConfigBuilder(c, hidden, layers, heads, headDim)
                .kvHeads(c.positiveInt(kvHeads, "num_key_value_heads"))
                .feedForward(c.positiveInt("intermediate_size"))
                .maxPositions(maxPositions)
                .norm(NormParameters.Kind.RMS, c.positiveNumber(1e-6, "rms_norm_eps"))
                .positions(RotaryFrequencies.llama(c, headDim, maxPositions))
                .activation(Family.activation(c, "hidden_act", "silu"))
                .gated()
                .bias(bias)
                .tied(false);
    }

    private static int headDim(JsonFile c) {
        return c.has("head_dim")
                ? c.positiveInt("head_dim")
                : divide(c, c.positiveInt("hidden_size"), c.positiveInt("num_attention_heads"));
    }

    /// Qwen's windows: `layer_types`, or all layers from `max_window_layers` on.
    private static List<Integer> slidingWindows(JsonFile c, int layers) {
        boolean sliding = c.bool("use_sliding_window", false) && !c.isNull("sliding_window");
        int window = sliding ? c.positiveInt(4096, "sliding_window") : 0;
        int firstWindowed = c.positiveIntOrZero(28, "max_window_layers");
        JsonNode types = c.node("layer_types").orElse(null);
        if (types != null && (!types.isArray() || types.size() != layers)) {
            throw c.wrong("layer_types", "a list of " + layers + " kinds", types);
        }
        List<Integer> windows = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            String type =
                    types != null ? types.get(i).asText() : i >= firstWindowed ? "sliding_attention" : "full_attention";
            windows.add(
                    switch (type) {
                        case "full_attention" -> 0;
                        case "sliding_attention" -> window;
                        default ->
                            throw new UnsupportedModelException("%s: key \"layer_types\": %s is not supported"
                                    .formatted(c.path(), Quoted.of(type)));
                    });
        }
        return windows;
    }

    private static int divide(JsonFile c, int hidden, int heads) {
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

    /// Tables are made from these numbers before any tensor can contradict them.
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
}
