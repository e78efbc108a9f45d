package io.github.sgpt4j.jmh;

/// Shapes of well-known models. Weights are random: speed does not depend on them.
///
/// @see RandomCheckpoint
public enum ModelShape {
    /// EleutherAI/gpt-neo-125m, the model of SGPT-125M.
    GPT_NEO_125M(Family.GPT_NEO, 768, 12, 12, 256, 50_257, 2048),
    /// EleutherAI/gpt-neo-1.3B: 5 GB of weights.
    GPT_NEO_1_3B(Family.GPT_NEO, 2048, 24, 16, 256, 50_257, 2048),
    /// bigscience/bloom-560m: half of its weights are the embedding table.
    BLOOM_560M(Family.BLOOM, 1024, 24, 16, 0, 250_880, 2048),
    /// openai-community/gpt2.
    GPT2_124M(Family.GPT2, 768, 12, 12, 0, 50_257, 1024),
    /// Small enough for trying out the benchmarks themselves.
    TINY(Family.GPT_NEO, 128, 2, 4, 32, 50_257, 2048);

    /// The architecture.
    public enum Family {
        GPT_NEO,
        GPT2,
        BLOOM
    }

    private final Family family;
    private final int hidden;
    private final int layers;
    private final int heads;
    private final int window;
    private final int vocabulary;
    private final int positions;

    ModelShape(Family family, int hidden, int layers, int heads, int window, int vocabulary, int positions) {
        this.family = family;
        this.hidden = hidden;
        this.layers = layers;
        this.heads = heads;
        this.window = window;
        this.vocabulary = vocabulary;
        this.positions = positions;
    }

    public Family family() {
        return family;
    }

    public int hidden() {
        return hidden;
    }

    public int layers() {
        return layers;
    }

    public int heads() {
        return heads;
    }

    public int headDim() {
        return hidden / heads;
    }

    public int feedForward() {
        return 4 * hidden;
    }

    public int vocabulary() {
        return vocabulary;
    }

    public int positions() {
        return positions;
    }

    /// Window of local layers, 0 if there are none.
    public int window() {
        return window;
    }

    /// Maximum number of keys that a token sees in a layer, 0 for all: GPT-Neo's odd layers are local.
    public int window(int layer) {
        return layer % 2 == 1 ? window : 0;
    }

    /// Floating-point operations of the linear layers per token; a multiply-add counts as two.
    public long linearFlops() {
        return 2 * matrixWeights();
    }

    /// Number of weights in the layers' matrices.
    public long matrixWeights() {
        return 12L * hidden * hidden * layers;
    }

    /// Floating-point operations for one text: linear layers, and the attention products inside causal mask and
    /// window.
    public long flops(int tokens) {
        long pairs = 0;
        for (int layer = 0; layer < layers; layer++) {
            int seen = window(layer) == 0 ? tokens : Math.min(window(layer), tokens);
            pairs += (long) seen * (seen + 1) / 2 + (long) (tokens - seen) * seen;
        }
        return Math.addExact(Math.multiplyExact(linearFlops(), (long) tokens), 4 * pairs * hidden);
    }
}
