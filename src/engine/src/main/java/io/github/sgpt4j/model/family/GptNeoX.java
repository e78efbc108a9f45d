package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;

/// GPT-NeoX and Pythia: `configuration_gpt_neox.py`.
final class GptNeoX {
    static final Family FAMILY = new Family(
            "gpt_neox",
            GptNeoX::config,
            TensorNames.builder()
                    .prefixes("", "gpt_neox.")
                    .embedding("embed_in")
                    .layers("layers.{}.")
                    .norms("input_layernorm", "post_attention_layernorm")
                    .fusedPerHead("attention.query_key_value")
                    .attentionOut("attention.dense")
                    .feedForward("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")
                    .finalNorm("final_layer_norm")
                    .heads("embed_out", "lm_head")
                    .build());

    private GptNeoX() {}

    private static DecoderConfig config(JsonFile c) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        int headDim = ConfigBuilder.headDim(c, hidden, heads);
        int maxPositions = c.positiveInt("max_position_embeddings");
        boolean bias = c.bool("attention_bias", true);
        return ConfigBuilder.of(c, hidden, layers, heads, headDim)
                .feedForward(c.positiveInt("intermediate_size"))
                .maxPositions(maxPositions)
                .layerNorm("layer_norm_eps")
                .positions(RotaryFrequencies.gptNeoX(c, headDim, maxPositions))
                .activation(ActivationNames.named(c, "hidden_act", "gelu"))
                .residual(c.bool("use_parallel_residual", true) ? Residual.PARALLEL_TWO_NORMS : Residual.SEQUENTIAL)
                .bias(new Bias(bias, bias, true, false))
                .tied(false)
                .build();
    }
}
