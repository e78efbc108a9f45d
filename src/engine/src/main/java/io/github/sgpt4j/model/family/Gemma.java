package io.github.sgpt4j.model.family;

import com.fasterxml.jackson.databind.node.NullNode;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;

/// Gemma (arXiv 2403.08295): `configuration_gemma.py`. Gemma 2 and 3 share most of it: norms multiply
/// by 1 + gain, and
/// embeddings are scaled by √hidden.
///
/// Trained in bfloat16; activations exceed half precision (huggingface/transformers issue 29250).
final class Gemma {
    static final Family FAMILY =
            new Family("gemma", Gemma::config, Llama.names().build()).beyondHalf();

    private Gemma() {}

    private static DecoderConfig config(JsonFile c) {
        return parts(c, 16)
                .positions(RotaryFrequencies.llama(c, headDim(c), maxPositions(c)))
                .build();
    }

    static int headDim(JsonFile c) {
        return c.positiveInt(256, "head_dim");
    }

    static int maxPositions(JsonFile c) {
        return c.positiveInt("max_position_embeddings");
    }

    /// The settings that all three share, without positions.
    ///
    /// @param defaultKvHeads number of key heads if the key is missing
    static ConfigBuilder parts(JsonFile c, int defaultKvHeads) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        boolean bias = c.bool("attention_bias", false);
        return ConfigBuilder.of(c, hidden, layers, heads, headDim(c))
                .kvHeads(c.positiveInt(defaultKvHeads, "num_key_value_heads"))
                .feedForward(c.positiveInt("intermediate_size"))
                .maxPositions(maxPositions(c))
                .norm(NormParameters.Kind.RMS, c.positiveNumber(1e-6, "rms_norm_eps"))
                .gainFromOne()
                .embeddingScale(Math.sqrt(hidden))
                // As transformers 4.39 to 4.57: "hidden_act" of published files is passed over.
                .activation(ActivationNames.named(c, "hidden_activation", "gelu_pytorch_tanh"))
                .gated()
                .bias(new Bias(bias, bias, false, false))
                .tied(true);
    }

    /// The tensor names that Gemma 2 and 3 share.
    static TensorNames.Builder fourNorms() {
        return Llama.names()
                .norms("input_layernorm", "pre_feedforward_layernorm")
                .outputNorms("post_attention_layernorm", "post_feedforward_layernorm");
    }

    /// The factor on scores, `query_pre_attn_scalar` to the power of -0.5.
    static double scale(JsonFile c) {
        String key = "query_pre_attn_scalar";
        return 1 / Math.sqrt(stated(c, key).positiveNumber(256, key));
    }

    /// The file, whose key may be missing, but not `null`, which transformers cannot compute with.
    static JsonFile stated(JsonFile c, String key) {
        if (c.isNull(key)) {
            throw c.wrong(key, "a positive number", NullNode.getInstance());
        }
        return c;
    }

    /// A bound of scores or logits; `null` in the file means none.
    ///
    /// @param fallback if the key is missing
    static double softcap(JsonFile c, String key, double fallback) {
        if (c.isNull(key) || (fallback == 0 && !c.has(key))) {
            return 0;
        }
        double bound = c.positiveNumber(fallback, key);
        if ((float) bound < Float.MIN_NORMAL) {
            throw c.wrong(key, "a positive number of 32 bits", c.node(key).orElseThrow());
        }
        return bound;
    }
}
