package io.github.sgpt4j.model.family;

import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;

/// Llama: `configuration_llama.py`. Mistral and Qwen share most of it.
final class Llama {
    static final Family FAMILY = new Family("llama", Llama::config, names().build());

    /// NVIDIA's embedders and re-rankers: Llama whose tokens attend to later ones, too (see
    /// [Directions]).
    static final Family BIDIRECTIONAL = new Family("llama_bidirec", Llama::config, names().build());

    private Llama() {}

    private static DecoderConfig config(JsonFile c) {
        boolean bias = c.bool("attention_bias", false);
        return parts(c, new Bias(bias, bias, c.bool("mlp_bias", false), false), 0, headDim(c))
                .build();
    }

    /// The settings that related families share.
    ///
    /// @param defaultKvHeads number of key heads if the key is missing; 0 here, or `null` in the file,
    ///     means one per query head
    /// @param headDim dimensions of a head
    static ConfigBuilder parts(JsonFile c, Bias bias, int defaultKvHeads, int headDim) {
        return parts(c, bias, defaultKvHeads, headDim, 1e-6);
    }

    /// As [#parts(JsonFile, Bias, int, int)].
    ///
    /// @param defaultEpsilon of norms if the key is missing
    static ConfigBuilder parts(JsonFile c, Bias bias, int defaultKvHeads, int headDim, double defaultEpsilon) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        int maxPositions = c.positiveInt("max_position_embeddings");
        int kvHeads = defaultKvHeads == 0 || c.isNull("num_key_value_heads") ? heads : defaultKvHeads;
        return ConfigBuilder.of(c, hidden, layers, heads, headDim)
                .kvHeads(c.positiveInt(kvHeads, "num_key_value_heads"))
                .feedForward(c.positiveInt("intermediate_size"))
                .maxPositions(maxPositions)
                .norm(NormParameters.Kind.RMS, c.positiveNumber(defaultEpsilon, "rms_norm_eps"))
                .positions(RotaryFrequencies.llama(c, headDim, maxPositions))
                .activation(ActivationNames.named(c, "hidden_act", "silu"))
                .gated()
                .bias(bias)
                .tied(false);
    }

    static int headDim(JsonFile c) {
        return c.has("head_dim")
                ? c.positiveInt("head_dim")
                : ConfigBuilder.headDim(c, c.positiveInt("hidden_size"), c.positiveInt("num_attention_heads"));
    }

    /// The tensor names that related families share.
    static TensorNames.Builder names() {
        return TensorNames.builder()
                .prefixes("", "model.")
                .embedding("embed_tokens")
                .layers("layers.{}.")
                .norms("input_layernorm", "post_attention_layernorm")
                .separate("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
                .attentionOut("self_attn.o_proj")
                .gatedFeedForward("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
                .finalNorm("norm");
    }
}
