package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.LayerAttention;
import java.util.ArrayList;
import java.util.List;

/// GPT-2: `configuration_gpt2.py`.
final class Gpt2 {
    static final Family FAMILY = new Family(
            "gpt2",
            Gpt2::config,
            TensorNames.builder()
                    .prefixes("", "transformer.")
                    .embedding("wte")
                    .positions("wpe")
                    .layers("h.{}.")
                    .norms("ln_1", "ln_2")
                    .fusedBlocks("attn.c_attn")
                    .attentionOut("attn.c_proj")
                    .feedForward("mlp.c_fc", "mlp.c_proj")
                    .inputFirst()
                    .finalNorm("ln_f")
                    .build());

    private Gpt2() {}

    private static DecoderConfig config(JsonFile c) {
        int hidden = c.positiveInt("n_embd", "hidden_size");
        int layers = c.positiveInt("n_layer", "num_hidden_layers");
        int heads = c.positiveInt("n_head", "num_attention_heads");
        int headDim = ConfigBuilder.headDim(c, hidden, heads);
        double scale = c.bool("scale_attn_weights", true) ? 1 / Math.sqrt(headDim) : 1;
        boolean byLayer = c.bool("scale_attn_by_inverse_layer_idx", false);
        if (c.bool("add_cross_attention", false)) {
            throw c.unsupported("add_cross_attention", "there is no encoder to attend to");
        }
        List<LayerAttention> attention = new ArrayList<>();
        for (int i = 0; i < Math.min(layers, DecoderConfig.MAX_LAYERS + 1); i++) {
            attention.add(new LayerAttention((float) (byLayer ? scale / (i + 1) : scale), 0));
        }
        return ConfigBuilder.of(c, hidden, layers, heads, headDim)
                .feedForward(c.positiveInt(4 * hidden, "n_inner"))
                .maxPositions(positions(c))
                .layerNorm("layer_norm_epsilon")
                .positions(new Positions.Learned(0))
                .activation(ActivationNames.named(c, "activation_function", "gelu_new"))
                .attention(attention)
                .bias(new Bias(true, true, true, false))
                .build();
    }

    /// Before transformers 4, `n_ctx` was the length of attention; it is ignored if the number of rows
    /// of the table is stated.
    private static int positions(JsonFile c) {
        boolean stated = c.has("n_positions") || c.has("max_position_embeddings") || !c.has("n_ctx");
        return stated ? c.positiveInt("n_positions", "max_position_embeddings") : c.positiveInt("n_ctx");
    }
}
