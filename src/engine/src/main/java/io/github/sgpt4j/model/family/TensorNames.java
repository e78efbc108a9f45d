package io.github.sgpt4j.model.family;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// Names of a family's tensors, without the model's prefix; `{}` stands for the layer's number.
/// Projection names are module names, to which `.weight` and `.bias` are added.
///
/// @param prefixes possible prefixes of the decoder's tensors, tried in order; the head's names have no
///     prefix
/// @param embedding token embedding
/// @param positions learned positions, or empty
/// @param embeddingNorm norm after the embedding, or empty
/// @param layer prefix of a layer's names
/// @param norm1 norm before (or after) attention
/// @param norm2 norm before (or after) feed-forward; empty if there is only one norm
/// @param outputNorm1 norm of attention's output, beside `norm1`, or empty
/// @param outputNorm2 norm of the feed-forward's output, beside `norm2`, or empty
/// @param queryNorm per-head norm of queries, or empty
/// @param keyNorm per-head norm of keys, or empty
/// @param attention where queries, keys and values come from
/// @param attentionOut projection after attention
/// @param gate gate projection, or empty; in a gated family the gate's rows are then the first of `up`
/// @param up first feed-forward projection
/// @param down second feed-forward projection
/// @param inputFirst whether matrices are stored `[in, out]` (GPT-2)
/// @param finalNorm norm after the last layer
/// @param projectIn projection after the embedding, or empty
/// @param projectOut projection after the last layer, or empty
/// @param heads names of the output head's module, tried in order
public record TensorNames(
        List<String> prefixes,
        String embedding,
        Optional<String> positions,
        Optional<String> embeddingNorm,
        String layer,
        String norm1,
        Optional<String> norm2,
        Optional<String> outputNorm1,
        Optional<String> outputNorm2,
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
    public sealed interface Attention {
        /// Three modules.
        record Separate(String query, String key, String value) implements Attention {}

        /// One module: all queries, all keys, all values.
        record FusedBlocks(String module) implements Attention {}

        /// One module: query, key and value of the first head, then of the next (`[heads, 3, headDim]`).
        record FusedPerHead(String module) implements Attention {}
    }

    /// The prefix of a checkpoint's names: the first with which its embedding table is stored,
    /// otherwise its first layer.
    ///
    /// @param stored whether the checkpoint has a tensor with a name
    public String prefix(Predicate<String> stored) {
        // The layer is checked for tables stored under the head's name, and for messages about a
        // missing table.
        return prefixOf(embedding, stored)
                .or(() -> prefixOf(layer.replace("{}", "0") + norm1, stored))
                .orElse(prefixes.getFirst());
    }

    private Optional<String> prefixOf(String module, Predicate<String> stored) {
        return prefixes.stream()
                .filter(p -> stored.test(p + module + ".weight"))
                .findFirst();
    }

    static Builder builder() {
        return new Builder();
    }

    /// Builds names by purpose. What is not set does not exist in the family.
    static final class Builder {
        private List<String> prefixes = List.of("");
        private String embedding = "";
        private Optional<String> positions = Optional.empty();
        private Optional<String> embeddingNorm = Optional.empty();
        private String layer = "";
        private String norm1 = "";
        private Optional<String> norm2 = Optional.empty();
        private Optional<String> outputNorm1 = Optional.empty();
        private Optional<String> outputNorm2 = Optional.empty();
        private Optional<String> queryNorm = Optional.empty();
        private Optional<String> keyNorm = Optional.empty();
        private Attention attention = new Attention.FusedBlocks("");
        private String attentionOut = "";
        private Optional<String> gate = Optional.empty();
        private String up = "";
        private String down = "";
        private boolean inputFirst;
        private String finalNorm = "";
        private Optional<String> projectIn = Optional.empty();
        private Optional<String> projectOut = Optional.empty();
        private List<String> heads = List.of("lm_head");

        private Builder() {}

        Builder prefixes(String... tried) {
            prefixes = List.of(tried);
            return this;
        }

        Builder embedding(String module) {
            embedding = module;
            return this;
        }

        Builder positions(String module) {
            positions = Optional.of(module);
            return this;
        }

        Builder embeddingNorm(String module) {
            embeddingNorm = Optional.of(module);
            return this;
        }

        Builder layers(String prefix) {
            layer = prefix;
            return this;
        }

        /// One norm for attention and feed-forward.
        Builder norm(String only) {
            norm1 = only;
            return this;
        }

        Builder norms(String first, String second) {
            norm1 = first;
            norm2 = Optional.of(second);
            return this;
        }

        /// Norms of what attention and feed-forward add to the residual stream.
        Builder outputNorms(String first, String second) {
            outputNorm1 = Optional.of(first);
            outputNorm2 = Optional.of(second);
            return this;
        }

        Builder headNorms(String query, String key) {
            queryNorm = Optional.of(query);
            keyNorm = Optional.of(key);
            return this;
        }

        Builder separate(String query, String key, String value) {
            attention = new Attention.Separate(query, key, value);
            return this;
        }

        Builder fusedBlocks(String module) {
            attention = new Attention.FusedBlocks(module);
            return this;
        }

        Builder fusedPerHead(String module) {
            attention = new Attention.FusedPerHead(module);
            return this;
        }

        Builder attentionOut(String module) {
            attentionOut = module;
            return this;
        }

        Builder feedForward(String first, String second) {
            up = first;
            down = second;
            return this;
        }

        Builder gatedFeedForward(String gateModule, String first, String second) {
            gate = Optional.of(gateModule);
            return feedForward(first, second);
        }

        /// Matrices are stored `[in, out]`.
        Builder inputFirst() {
            inputFirst = true;
            return this;
        }

        Builder finalNorm(String module) {
            finalNorm = module;
            return this;
        }

        /// Projections between the embedding and the layers, and after the layers.
        Builder projections(String in, String out) {
            projectIn = Optional.of(in);
            projectOut = Optional.of(out);
            return this;
        }

        Builder heads(String... tried) {
            heads = List.of(tried);
            return this;
        }

        TensorNames build() {
            return new TensorNames(
                    prefixes,
                    embedding,
                    positions,
                    embeddingNorm,
                    layer,
                    norm1,
                    norm2,
                    outputNorm1,
                    outputNorm2,
                    queryNorm,
                    keyNorm,
                    attention,
                    attentionOut,
                    gate,
                    up,
                    down,
                    inputFirst,
                    finalNorm,
                    projectIn,
                    projectOut,
                    heads);
        }
    }
}
