package io.github.sgpt4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Bias;
import io.github.sgpt4j.model.family.DecoderConfig.LayerAttention;
import java.util.ArrayList;
import java.util.List;

/// GPT-Neo: `configuration_gpt_neo.py`.
///
/// Trained in bfloat16 and 32-bit floats, it exceeds half precision: queries are not scaled, and longer
/// texts give NaN in transformers with fp16 (huggingface/transformers issue 11076).
final class GptNeo {
    static final Family FAMILY = new Family(
                    "gpt_neo",
                    GptNeo::config,
                    TensorNames.builder()
                            .prefixes("", "transformer.")
                            .embedding("wte")
                            .positions("wpe")
                            .layers("h.{}.")
                            .norms("ln_1", "ln_2")
                            .separate("attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj")
                            .attentionOut("attn.attention.out_proj")
                            .feedForward("mlp.c_fc", "mlp.c_proj")
                            .finalNorm("ln_f")
                            .build())
            .beyondHalf();

    private GptNeo() {}

    private static DecoderConfig config(JsonFile c) {
        int hidden = c.positiveInt("hidden_size");
        int layers = c.positiveInt("num_layers", "num_hidden_layers");
        int heads = c.positiveInt("num_heads", "num_attention_heads");
        return ConfigBuilder.of(c, hidden, layers, heads)
                .feedForward(c.positiveInt(4 * hidden, "intermediate_size"))
                .maxPositions(c.positiveInt("max_position_embeddings"))
                .layerNorm("layer_norm_epsilon")
                .positions(new Positions.Learned(0))
                .activation(ActivationNames.named(c, "activation_function", "gelu_new"))
                .attention(attention(c, layers))
                .bias(new Bias(false, true, true, false))
                .build();
    }

    /// `attention_types` is a list of [kinds, repetitions]; queries are not scaled.
    private static List<LayerAttention> attention(JsonFile c, int layers) {
        int window = c.positiveInt(256, "window_size");
        JsonNode types = c.node("attention_types")
                .orElseThrow(() ->
                        new FormatException("%s: expected key \"attention_types\", found none".formatted(c.path())));
        List<LayerAttention> result = new ArrayList<>();
        if (!types.isArray()) {
            throw c.wrong("attention_types", "lists of [kinds, repetitions]", types);
        }
        for (JsonNode item : types) {
            if (!item.isArray()
                    || item.size() != 2
                    || !item.get(0).isArray()
                    || !item.get(1).isInt()) {
                throw c.wrong("attention_types", "lists of [kinds, repetitions]", types);
            }
            for (int r = 0; r < item.get(1).intValue() && result.size() <= layers; r++) {
                for (JsonNode kind : item.get(0)) {
                    result.add(new LayerAttention(
                            1f,
                            switch (kind.asText()) {
                                case "global" -> 0;
                                case "local" -> window;
                                default -> throw c.wrong("attention_types", "\"global\" or \"local\"", kind);
                            }));
                }
                if (item.get(0).isEmpty()) {
                    break;
                }
            }
        }
        if (result.size() != layers) {
            throw c.wrong("attention_types", "kinds for " + layers + " layers", types);
        }
        JsonNode kinds = c.node("attention_layers").orElse(null);
        if (kinds != null && !sameKinds(kinds, result)) {
            throw c.wrong("attention_layers", "the same kinds as \"attention_types\"", kinds);
        }
        return result;
    }

    /// Whether `attention_layers`, which transformers writes in addition to `attention_types`, says the
    /// same.
    private static boolean sameKinds(JsonNode kinds, List<LayerAttention> attention) {
        if (kinds.size() != attention.size()) {
            return false;
        }
        for (int i = 0; i < attention.size(); i++) {
            if (!kinds.get(i).asText().equals(attention.get(i).window() == 0 ? "global" : "local")) {
                return false;
            }
        }
        return true;
    }
}
