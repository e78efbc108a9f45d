package io.github.sgpt4j.model.family;

import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.HeadNorm;

/// Qwen3: `configuration_qwen3.py`.
final class Qwen3 {
    static final Family FAMILY = new Family(
            "qwen3",
            Qwen3::config,
            Llama.names().headNorms("self_attn.q_norm", "self_attn.k_norm").build());

    /// Perplexity's embedders (pplx-embed): Qwen3 whose tokens attend to later ones, too (see
    /// [Directions]).
    static final Family BIDIRECTIONAL = new Family("bidirectional_pplx_qwen3", Qwen3::config, FAMILY.names());

    private Qwen3() {}

    private static DecoderConfig config(JsonFile c) {
        boolean bias = c.bool("attention_bias", false);
        ConfigBuilder builder = Llama.parts(c, new Bias(bias, bias, false, false), 32, c.positiveInt(128, "head_dim"))
                .headNorm(HeadNorm.EACH);
        return builder.windows(Qwen2.slidingWindows(c, builder.layers())).build();
    }
}
