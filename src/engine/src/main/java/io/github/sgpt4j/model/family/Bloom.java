package io.github.sgpt4j.model.family;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;

/// BLOOM: `configuration_bloom.py`.
final class Bloom {
    static final Family FAMILY = new Family(
            "bloom",
            Bloom::config,
            TensorNames.builder()
                    .prefixes("", "transformer.")
                    .embedding("word_embeddings")
                    .embeddingNorm("word_embeddings_layernorm")
                    .layers("h.{}.")
                    .norms("input_layernorm", "post_attention_layernorm")
                    .fusedPerHead("self_attention.query_key_value")
                    .attentionOut("self_attention.dense")
                    .feedForward("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")
                    .finalNorm("ln_f")
                    .build());

    private Bloom() {}

    private static DecoderConfig config(JsonFile c) {
        int hidden = c.positiveInt("n_embed", "hidden_size");
        int layers = c.positiveInt("n_layer", "num_hidden_layers");
        int heads = c.positiveInt("n_head", "num_attention_heads");
        boolean fromNorm = c.bool("apply_residual_connection_post_layernorm", false);
        int slices = c.positiveInt(1, "pretraining_tp");
        if (c.bool("slow_but_exact", false) && slices > 1) {
            throw c.unsupported("slow_but_exact", "with \"pretraining_tp\" above 1, biases are left out");
        }
        return ConfigBuilder.of(c, hidden, layers, heads)
                .feedForward(4 * hidden)
                // The training length; texts may be longer.
                .maxPositions(c.positiveInt(2048, "seq_length"))
                .layerNorm("layer_norm_epsilon")
                .positions(Positions.Alibi.forHeads(heads))
                .activation(Activation.GELU_TANH)
                .residual(fromNorm ? Residual.SEQUENTIAL_FROM_NORM : Residual.SEQUENTIAL)
                .embeddingNorm()
                .bias(new Bias(true, true, true, false))
                .build();
    }
}
