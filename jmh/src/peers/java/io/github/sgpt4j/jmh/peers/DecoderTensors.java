package io.github.sgpt4j.jmh.peers;

import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;

/// The tensors of a checkpoint in one layout for all families: matrices `[out, in]`; queries, keys and values in one
/// matrix in that order, with the scale of the scores folded into the queries; missing biases as zeros.
final class DecoderTensors implements AutoCloseable {
    private final ModelShape shape;
    private final Weights weights;

    /// A matrix or gain with its bias.
    record Affine(float[] weight, float[] bias) {}

    record Layer(Affine norm1, Affine qkv, Affine attentionOut, Affine norm2, Affine up, Affine down) {}

    private DecoderTensors(ModelShape shape, Weights weights) {
        this.shape = shape;
        this.weights = weights;
    }

    static DecoderTensors open(ModelShape shape, Path checkpoint) {
        return new DecoderTensors(shape, Weights.open(checkpoint));
    }

    private float[] tensor(String name) {
        return weights.get(name).toFloats();
    }

    private Affine affine(String module) {
        return new Affine(tensor(module + ".weight"), tensor(module + ".bias"));
    }

    float[] embedding() {
        return tensor(shape.family() == ModelShape.Family.BLOOM ? "word_embeddings.weight" : "wte.weight");
    }

    float[] positions() {
        return tensor("wpe.weight");
    }

    Affine embeddingNorm() {
        return affine("word_embeddings_layernorm");
    }

    Affine finalNorm() {
        return affine("ln_f");
    }

    Layer layer(int index) {
        String name = "h." + index + ".";
        return switch (shape.family()) {
            case GPT_NEO -> neo(name);
            case GPT2 -> gpt2(name);
            case BLOOM -> bloom(name);
        };
    }

    private Layer neo(String name) {
        int hidden = shape.hidden();
        String attention = name + "attn.attention.";
        float[] weight = new float[3 * hidden * hidden];
        int part = 0;
        for (String module : new String[] {"q_proj", "k_proj", "v_proj"}) {
            System.arraycopy(
                    tensor(attention + module + ".weight"), 0, weight, part++ * hidden * hidden, hidden * hidden);
        }
        return new Layer(
                affine(name + "ln_1"),
                new Affine(weight, new float[3 * hidden]),
                affine(attention + "out_proj"),
                affine(name + "ln_2"),
                affine(name + "mlp.c_fc"),
                affine(name + "mlp.c_proj"));
    }

    private Layer gpt2(String name) {
        int hidden = shape.hidden();
        return new Layer(
                affine(name + "ln_1"),
                scaled(transposed(affine(name + "attn.c_attn"), hidden)),
                transposed(affine(name + "attn.c_proj"), hidden),
                affine(name + "ln_2"),
                transposed(affine(name + "mlp.c_fc"), hidden),
                transposed(affine(name + "mlp.c_proj"), shape.feedForward()));
    }

    private Layer bloom(String name) {
        return new Layer(
                affine(name + "input_layernorm"),
                scaled(perHead(affine(name + "self_attention.query_key_value"))),
                affine(name + "self_attention.dense"),
                affine(name + "post_attention_layernorm"),
                affine(name + "mlp.dense_h_to_4h"),
                affine(name + "mlp.dense_4h_to_h"));
    }

    /// Transposes `[in, out]` to `[out, in]`.
    private static Affine transposed(Affine stored, int in) {
        int out = stored.bias().length;
        float[] weight = new float[in * out];
        for (int i = 0; i < in; i++) {
            for (int o = 0; o < out; o++) {
                weight[o * in + i] = stored.weight()[i * out + o];
            }
        }
        return new Affine(weight, stored.bias());
    }

    /// Reorders rows from `[heads, 3, headDim]` to `[3, heads, headDim]`.
    private Affine perHead(Affine stored) {
        int hidden = shape.hidden();
        int d = shape.headDim();
        Affine ordered = new Affine(new float[stored.weight().length], new float[stored.bias().length]);
        for (int h = 0; h < shape.heads(); h++) {
            for (int part = 0; part < 3; part++) {
                int from = (h * 3 + part) * d;
                int to = part * hidden + h * d;
                System.arraycopy(stored.weight(), from * hidden, ordered.weight(), to * hidden, d * hidden);
                System.arraycopy(stored.bias(), from, ordered.bias(), to, d);
            }
        }
        return ordered;
    }

    /// Folds the scale of the scores, 1/√headDim, into the queries.
    private Affine scaled(Affine qkv) {
        float factor = (float) (1 / Math.sqrt(shape.headDim()));
        int hidden = shape.hidden();
        for (int i = 0; i < hidden * hidden; i++) {
            qkv.weight()[i] *= factor;
        }
        for (int i = 0; i < hidden; i++) {
            qkv.bias()[i] *= factor;
        }
        return qkv;
    }

    @Override
    public void close() {
        weights.close();
    }
}
