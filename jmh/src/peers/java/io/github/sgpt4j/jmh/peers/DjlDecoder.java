package io.github.sgpt4j.jmh.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The decoder as a user of DJL would build it from NDArray operations: PyTorch's fused linear layers, layer norms
/// and softmax, one product for queries, keys and values, batched products for attention, in-place sums.
///
/// Texts are padded on the right, so the causal mask also hides padding from real tokens, and one mask `[length,
/// length]` per kind of layer is enough.
final class DjlDecoder implements AutoCloseable {
    private static final float EPSILON = 1e-5f;

    private final ModelShape shape;
    private final NDManager manager;
    private final NDArray embedding;
    private final List<NDArray> positions = new ArrayList<>();
    private final List<Norm> embeddingNorm = new ArrayList<>();
    private final List<Layer> layers = new ArrayList<>();
    private final Norm finalNorm;
    private final boolean differentiated;

    private record Norm(NDArray gain, NDArray bias) {
        NDArray apply(NDArray x) {
            return LayerNorm.layerNorm(x, gain.getShape(), gain, bias, EPSILON).singletonOrThrow();
        }
    }

    private record Projection(NDArray weight, NDArray bias) {
        NDArray apply(NDArray x) {
            return Linear.linear(x, weight, bias).singletonOrThrow();
        }
    }

    private record Layer(
            Norm norm1, Projection qkv, Projection attentionOut, Norm norm2, Projection up, Projection down) {}

    DjlDecoder(NDManager parent, ModelShape shape, Path checkpoint) {
        this(parent, shape, checkpoint, false);
    }

    /// @param differentiated whether [#forward] is recorded and [#biases] have gradients: what a derivative
    ///     reads again is not computed in place then
    DjlDecoder(NDManager parent, ModelShape shape, Path checkpoint, boolean differentiated) {
        this.shape = shape;
        this.differentiated = differentiated;
        this.manager = parent.newSubManager();
        try (DecoderTensors tensors = DecoderTensors.open(shape, checkpoint)) {
            embedding = array(tensors.embedding(), shape.vocabulary(), shape.hidden());
            if (shape.family() == ModelShape.Family.BLOOM) {
                embeddingNorm.add(norm(tensors.embeddingNorm()));
            } else {
                positions.add(array(tensors.positions(), shape.positions(), shape.hidden()));
            }
            for (int i = 0; i < shape.layers(); i++) {
                layers.add(layer(tensors.layer(i)));
            }
            finalNorm = norm(tensors.finalNorm());
        }
        if (differentiated) {
            biases().values().forEach(bias -> bias.setRequiresGradient(true));
        }
    }

    /// The biases that GPT-Neo has, by stored name.
    Map<String, NDArray> biases() {
        Map<String, NDArray> biases = new TreeMap<>();
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            String name = "h." + i + ".";
            biases.put(name + "ln_1.bias", layer.norm1().bias());
            biases.put(
                    name + "attn.attention.out_proj.bias", layer.attentionOut().bias());
            biases.put(name + "ln_2.bias", layer.norm2().bias());
            biases.put(name + "mlp.c_fc.bias", layer.up().bias());
            biases.put(name + "mlp.c_proj.bias", layer.down().bias());
        }
        biases.put("ln_f.bias", finalNorm.bias());
        return biases;
    }

    private Layer layer(DecoderTensors.Layer layer) {
        int hidden = shape.hidden();
        return new Layer(
                norm(layer.norm1()),
                projection(layer.qkv(), 3 * hidden, hidden),
                projection(layer.attentionOut(), hidden, hidden),
                norm(layer.norm2()),
                projection(layer.up(), shape.feedForward(), hidden),
                projection(layer.down(), hidden, shape.feedForward()));
    }

    private NDArray array(float[] values, long... dimensions) {
        return manager.create(values, new Shape(dimensions));
    }

    private Norm norm(DecoderTensors.Affine norm) {
        return new Norm(array(norm.weight(), shape.hidden()), array(norm.bias(), shape.hidden()));
    }

    private Projection projection(DecoderTensors.Affine module, int out, int in) {
        return new Projection(array(module.weight(), out, in), array(module.bias(), out));
    }

    /// Final states after the last norm, attached to `batch`.
    ///
    /// @param ids `[texts, length]`, padded on the right
    /// @return `[texts, length, hidden]`
    NDArray forward(NDManager batch, long[][] ids) {
        int texts = ids.length;
        int length = ids[0].length;
        NDArray index = batch.create(ids);
        NDArray x = Embedding.embedding(index, embedding, SparseFormat.DENSE).singletonOrThrow();
        x.attach(batch);
        for (NDArray table : positions) {
            x.addi(table.get(batch, new ai.djl.ndarray.index.NDIndex("0:{}", length)));
        }
        for (Norm norm : embeddingNorm) {
            x = norm.apply(x);
        }
        NDArray global = mask(batch, length, 0);
        NDArray local = shape.window() > 0 && shape.window() < length ? mask(batch, length, shape.window()) : global;
        for (int i = 0; i < layers.size(); i++) {
            try (NDManager scope = batch.newSubManager()) {
                x.attach(scope);
                x = layer(layers.get(i), x, texts, length, shape.window(i) > 0 ? local : global);
                x.attach(batch);
            }
        }
        return finalNorm.apply(x);
    }

    /// Adds the outputs of a layer's two blocks to `x`.
    private NDArray layer(Layer layer, NDArray x, int texts, int length, NDArray mask) {
        NDArray qkv = layer.qkv().apply(layer.norm1().apply(x));
        NDArray middle = sum(x, layer.attentionOut().apply(attention(qkv, texts, length, mask)));
        NDArray inner = layer.up().apply(layer.norm2().apply(middle));
        return sum(middle, layer.down().apply(activation(inner)));
    }

    /// `x + y`, in `x` if possible.
    private NDArray sum(NDArray x, NDArray y) {
        return differentiated ? x.add(y) : x.addi(y);
    }

    private NDArray attention(NDArray qkv, int texts, int length, NDArray mask) {
        NDArray heads =
                qkv.reshape(texts, length, 3, shape.heads(), shape.headDim()).transpose(2, 0, 3, 1, 4);
        NDArray scores = heads.get(0).matMul(heads.get(1).swapAxes(2, 3));
        scores.addi(mask);
        NDArray weights = scores.softmax(-1);
        scores.close();
        NDArray context = weights.matMul(heads.get(2));
        weights.close();
        return context.transpose(0, 2, 1, 3).reshape(texts, length, shape.hidden());
    }

    /// GELU: the exact form is PyTorch's fused operation. DJL offers no fused tanh form, which is x · sigmoid(x ·
    /// (a + b · x²)) with a = √(8/π) and b = 0.044715 · a; it takes six passes, most of them in place.
    private NDArray activation(NDArray x) {
        if (shape.family() != ModelShape.Family.BLOOM && Settings.activation().equals("gelu")) {
            return Activation.gelu(x);
        }
        double a = Math.sqrt(8 / Math.PI);
        NDArray t = x.mul(x);
        if (differentiated) {
            return x.mul(Activation.sigmoid(t.mul(0.044715 * a).add(a).mul(x)));
        }
        t.muli(0.044715 * a).addi(a).muli(x);
        return x.muli(Activation.sigmoid(t));
    }

    private NDArray mask(NDManager batch, int length, int window) {
        int heads = shape.family() == ModelShape.Family.BLOOM ? shape.heads() : 1;
        return batch.create(Padding.mask(shape, length, window), new Shape(heads, length, length));
    }

    /// Logits from the tied head: `[rows, hidden] → [rows, vocabulary]`.
    NDArray logits(NDArray states) {
        return Linear.linear(states, embedding).singletonOrThrow();
    }

    @Override
    public void close() {
        manager.close();
    }
}
