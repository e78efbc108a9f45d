package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;

/// OPT: `configuration_opt.py`.
final class Opt {
    static final Family FAMILY = new Family(
            "opt",
            Opt::config,
            TensorNames.builder()
                    .prefixes("decoder.", "model.decoder.", "")
                    .embedding("embed_tokens")
                    .positions("embed_positions")
                    .layers("layers.{}.")
                    .norms("self_attn_layer_norm", "final_layer_norm")
                    .separate("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
                    .attentionOut("self_attn.out_proj")
                    .feedForward("fc1", "fc2")
                    .finalNorm("final_layer_norm")
                    .projections("project_in", "project_out")
                    .build());

    private Opt() {}

    private static DecoderConfig config(JsonFile c) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_hidden_layers");
        int heads = c.positiveInt("num_attention_heads");
        boolean bias = c.bool("enable_bias", true);
        boolean before = c.bool("do_layer_norm_before", true);
        ConfigBuilder builder = ConfigBuilder.of(c, hidden, layers, heads)
                .feedForward(c.positiveInt("ffn_dim"))
                .embeddingWidth(c.positiveInt(hidden, "word_embed_proj_dim"))
                .maxPositions(c.positiveInt("max_position_embeddings"))
                .positions(new Positions.Learned(2))
                .activation(ActivationNames.named(c, "activation_function", "relu"))
                .normAffine(c.bool("layer_norm_elementwise_affine", true))
                .residual(before ? Residual.SEQUENTIAL : Residual.SEQUENTIAL_POST_NORM)
                .bias(new Bias(bias, bias, bias, false));
        return before && !c.bool("_remove_final_layer_norm", false)
                ? builder.build()
                : builder.noFinalNorm().build();
    }
}
