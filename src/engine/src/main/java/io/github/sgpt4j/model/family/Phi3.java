package io.github.sgpt4j.model.family;

import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import java.util.Collections;

/// Phi-3 and Phi-4-mini (arXiv 2404.14219): `configuration_phi3.py`. Llama's layers with fused
/// projections.
final class Phi3 {
    static final Family FAMILY = new Family(
                    "phi3",
                    Phi3::config,
                    TensorNames.builder()
                            .prefixes("", "model.")
                            .embedding("embed_tokens")
                            .layers("layers.{}.")
                            .norms("input_layernorm", "post_attention_layernorm")
                            .fusedBlocks("self_attn.qkv_proj")
                            .attentionOut("self_attn.o_proj")
                            .feedForward("mlp.gate_up_proj", "mlp.down_proj")
                            .finalNorm("norm")
                            .build())
            .beyondHalf();

    private Phi3() {}

    private static DecoderConfig config(JsonFile c) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        int headDim = Llama.headDim(c);
        int window = c.has("sliding_window") ? c.positiveInt("sliding_window") : 0;
        Positions.Rotary rotary = RotaryFrequencies.phi3(c, headDim, c.positiveInt("max_position_embeddings"));
        ConfigBuilder builder = ConfigBuilder.of(c, hidden, layers, heads, headDim)
                .kvHeads(c.positiveInt(heads, "num_key_value_heads"))
                .feedForward(c.positiveInt("intermediate_size"))
                .maxPositions(RotaryFrequencies.trainedPositions(c, rotary))
                .norm(NormParameters.Kind.RMS, c.positiveNumber(1e-5, "rms_norm_eps"))
                .positions(rotary)
                .activation(ActivationNames.named(c, "hidden_act", "silu"))
                .gated()
                .bias(new Bias(false, false, false, false))
                .tied(false);
        return builder.windows(Collections.nCopies(layers, window)).build();
    }
}
