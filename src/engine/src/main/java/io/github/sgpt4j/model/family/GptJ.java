package io.github.sgpt4j.model.family;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;

/// GPT-J: `configuration_gptj.py`.
final class GptJ {
    static final Family FAMILY = new Family(
            "gptj",
            GptJ::config,
            TensorNames.builder()
                    .prefixes("", "transformer.")
                    .embedding("wte")
                    .layers("h.{}.")
                    .norm("ln_1")
                    .separate("attn.q_proj", "attn.k_proj", "attn.v_proj")
                    .attentionOut("attn.out_proj")
                    .feedForward("mlp.fc_in", "mlp.fc_out")
                    .finalNorm("ln_f")
                    .build());

    private GptJ() {}

    private static DecoderConfig config(JsonFile c) {
        int hidden = c.positiveInt("n_embd", "hidden_size");
        int layers = c.positiveInt("n_layer", "num_hidden_layers");
        int heads = c.positiveInt("n_head", "num_attention_heads");
        int headDim = ConfigBuilder.headDim(c, hidden, heads);
        if (c.isNull("rotary_dim")) {
            throw c.unsupported("rotary_dim", "expected the number of rotated dimensions of a head");
        }
        int rotary = c.positiveInt(64, "rotary_dim");
        if (rotary % 2 != 0 || rotary > headDim) {
            throw new FormatException("%s: key \"rotary_dim\": expected an even number up to the head size %d, got %d"
                    .formatted(c.path(), headDim, rotary));
        }
        return ConfigBuilder.of(c, hidden, layers, heads, headDim)
                .feedForward(c.positiveInt(4 * hidden, "n_inner"))
                .maxPositions(c.positiveInt("n_positions", "max_position_embeddings"))
                .layerNorm("layer_norm_epsilon")
                .positions(new Positions.Rotary(rotary, true, RotaryFrequencies.plain(rotary, 10000), 1f, true))
                .activation(ActivationNames.named(c, "activation_function", "gelu_new"))
                .residual(Residual.PARALLEL_ONE_NORM)
                .bias(new Bias(false, false, true, true))
                .tied(false)
                .build();
    }
}
