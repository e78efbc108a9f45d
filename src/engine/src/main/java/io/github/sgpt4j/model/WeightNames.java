package io.github.sgpt4j.model;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// Where a family keeps its tensors: names without the model's prefix; `{}` stands for the layer's number.
/// Projection names are module names, to which `.weight` and `.bias` are added.
///
/// @param prefixes prefixes under which the decoder's tensors may lie, tried in order; the head's names have none
/// @param embedding token embedding
/// @param positions learned positions, or empty
/// @param embeddingNorm norm after the embedding, or empty
/// @param layer prefix of a layer's names
/// @param norm1 norm before (or after) attention
/// @param norm2 norm before (or after) feed-forward, or empty if there is one only
/// @param queryNorm per-head norm of queries, or empty
/// @param keyNorm per-head norm of keys, or empty
/// @param attention where queries, keys and values come from
/// @param attentionOut projection after attention
/// @param gate gate projection, or empty
/// @param up first feed-forward projection
/// @param down second feed-forward projection
/// @param inputFirst matrices are stored `[in, out]` (GPT-2)
/// @param finalNorm norm after the last layer
/// @param projectIn projection after the embedding, or empty
/// @param projectOut projection after the last layer, or empty
/// @param heads names of the output head's module, tried in order
record WeightNames(
        List<String> prefixes,
        String embedding,
        Optional<String> positions,
        Optional<String> embeddingNorm,
        String layer,
        String norm1,
        Optional<String> norm2,
        Optional<String> queryNorm,
        Optional<String> keyNorm,
        Attention attention,
        String attentionOut,
        Optional<String> gate,
        String up,
        String down,
        boolean inputFirst,
        String finalNorm,
        Optional<String> projectIn,
        Optional<String> projectOut,
        List<String> heads) {
    /// How query, key and value projections are stored.
    sealed interface Attention {
        /// Three modules.
        record Separate(String query, String key, String value) implements Attention {}

        /// One module: all queries, all keys, all values.
        record FusedBlocks(String module) implements Attention {}

        /// One module: query, key and value of the first head, then of the next (`[heads, 3, headDim]`).
        record FusedPerHead(String module) implements Attention {}
    }

    /// The prefix of a checkpoint's names: the first under which its embedding table is, or else its first layer.
    ///
    /// @param stored whether the checkpoint has a tensor of a name
    String prefix(Predicate<String> stored) {
        // The second is for tables under the head's name, and for messages about a missing one.
        return prefixOf(embedding, stored)
                .or(() -> prefixOf(layer.replace("{}", "0") + norm1, stored))
                .orElse(prefixes.getFirst());
    }

    private Optional<String> prefixOf(String module, Predicate<String> stored) {
        return prefixes.stream()
                .filter(p -> stored.test(p + module + ".weight"))
                .findFirst();
    }

    static final WeightNames GPT2 = new WeightNames(
            List.of("", "transformer."),
            "wte",
            Optional.of("wpe"),
            Optional.empty(),
            "h.{}.",
            "ln_1",
            Optional.of("ln_2"),
            Optional.empty(),
            Optional.empty(),
            new Attention.FusedBlocks("attn.c_attn"),
            "attn.c_proj",
            Optional.empty(),
            "mlp.c_fc",
            "mlp.c_proj",
            true,
            "ln_f",
            Optional.empty(),
            Optional.empty(),
            List.of("lm_head"));

    static final WeightNames GPT_NEO = new WeightNames(
            List.of("", "transformer."),
            "wte",
            Optional.of("wpe"),
            Optional.empty(),
            "h.{}.",
            "ln_1",
            Optional.of("ln_2"),
            Optional.empty(),
            Optional.empty(),
            new Attention.Separate("attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj"),
            "attn.attention.out_proj",
            Optional.empty(),
            "mlp.c_fc",
            "mlp.c_proj",
            false,
            "ln_f",
            Optional.empty(),
            Optional.empty(),
            List.of("lm_head"));

    static final WeightNames GPTJ = new WeightNames(
            List.of("", "transformer."),
            "wte",
            Optional.empty(),
            Optional.empty(),
            "h.{}.",
            "ln_1",
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            new Attention.Separate("attn.q_proj", "attn.k_proj", "attn.v_proj"),
            "attn.out_proj",
            Optional.empty(),
            "mlp.fc_in",
            "mlp.fc_out",
            false,
            "ln_f",
            Optional.empty(),
            Optional.empty(),
            List.of("lm_head"));

    static final WeightNames BLOOM = new WeightNames(
            List.of("", "transformer."),
            "word_embeddings",
            Optional.empty(),
            Optional.of("word_embeddings_layernorm"),
            "h.{}.",
            "input_layernorm",
            Optional.of("post_attention_layernorm"),
            Optional.empty(),
            Optional.empty(),
            new Attention.FusedPerHead("self_attention.query_key_value"),
            "self_attention.dense",
            Optional.empty(),
            "mlp.dense_h_to_4h",
            "mlp.dense_4h_to_h",
            false,
            "ln_f",
            Optional.empty(),
            Optional.empty(),
            List.of("lm_head"));

    static final WeightNames GPT_NEOX = new WeightNames(
            List.of("", "gpt_neox."),
            "embed_in",
            Optional.empty(),
            Optional.empty(),
            "layers.{}.",
            "input_layernorm",
            Optional.of("post_attention_layernorm"),
            Optional.empty(),
            Optional.empty(),
            new Attention.FusedPerHead("attention.query_key_value"),
            "attention.dense",
            Optional.empty(),
            "mlp.dense_h_to_4h",
            "mlp.dense_4h_to_h",
            false,
            "final_layer_norm",
            Optional.empty(),
            Optional.empty(),
            List.of("embed_out", "lm_head"));

    static final WeightNames OPT = new WeightNames(
            List.of("decoder.", "model.decoder.", ""),
            "embed_tokens",
            Optional.of("embed_positions"),
            Optional.empty(),
            "layers.{}.",
            "self_attn_layer_norm",
            Optional.of("final_layer_norm"),
            Optional.empty(),
            Optional.empty(),
            new Attention.Separate("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            "self_attn.out_proj",
            Optional.empty(),
            "fc1",
            "fc2",
            false,
            "final_layer_norm",
            Optional.of("project_in"),
            Optional.of("project_out"),
            List.of("lm_head"));

    /// Llama, Mistral and Qwen2.
    static final WeightNames LLAMA = llama(false);

    /// Qwen3: Llama's names and per-head norms.
    static final WeightNames QWEN3 = llama(true);

    private static WeightNames llama(boolean headNorms) {
        return new WeightNames(
                List.of("", "model."),
                "embed_tokens",
                Optional.empty(),
                Optional.empty(),
                "layers.{}.",
                "input_layernorm",
                Optional.of("post_attention_layernorm"),
                headNorms ? Optional.of("self_attn.q_norm") : Optional.empty(),
                headNorms ? Optional.of("self_attn.k_norm") : Optional.empty(),
                new Attention.Separate("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                "self_attn.o_proj",
                Optional.of("mlp.gate_proj"),
                "mlp.up_proj",
                "mlp.down_proj",
                false,
                "norm",
                Optional.empty(),
                Optional.empty(),
                List.of("lm_head"));
    }
}
