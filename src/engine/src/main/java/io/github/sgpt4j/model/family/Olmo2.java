package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.HeadNorm;
import io.github.sgpt4j.model.family.DecoderConfig.Residual;

/// OLMo 2 (arXiv 2501.00656): `configuration_olmo2.py`. Norms follow attention and feed-forward, none
/// precedes them;
/// all query heads have one norm, and so have all key heads.
final class Olmo2 {
    static final Family FAMILY = new Family(
            "olmo2",
            Olmo2::config,
            Llama.names()
                    .norms("post_attention_layernorm", "post_feedforward_layernorm")
                    .headNorms("self_attn.q_norm", "self_attn.k_norm")
                    .build());

    private Olmo2() {}

    private static DecoderConfig config(JsonFile c) {
        boolean bias = c.bool("attention_bias", false);
        return Llama.parts(c, new Bias(bias, bias, false, false), 0, Llama.headDim(c), 1e-5)
                .residual(Residual.SEQUENTIAL_NORMED_OUTPUTS)
                .headNorm(HeadNorm.ALL)
                .build();
    }
}
