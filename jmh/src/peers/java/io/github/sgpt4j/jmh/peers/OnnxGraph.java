package io.github.sgpt4j.jmh.peers;

import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The decoder as an ONNX graph: `Gemm` with packed weights and fused bias, `LayerNormalization`, `Gelu`, and ONNX
/// Runtime's `MultiHeadAttention`.
///
/// Inputs: `ids` `[texts, length]`, `positions` `[length]`, `shape` (texts, length, hidden), masks `global` and
/// `local` `[1, 1 or heads, length, length]`. To embed: `weights` `[texts, 1, length]`, output `pooled`
/// `[texts, 1, hidden]`. To score: `rows` and `targets` `[n, 1]`, output `chosen` `[n, 1]`.
final class OnnxGraph {
    static final String MODEL = "model.onnx";

    private static final float EPSILON = 1e-5f;

    private final ModelShape shape;
    private final OnnxWriter out;

    private OnnxGraph(ModelShape shape, OnnxWriter out) {
        this.shape = shape;
        this.out = out;
    }

    /// The graph's file, written if it does not exist.
    static Path file(ModelShape shape, Path checkpoint, boolean score) {
        Path directory = checkpoint.resolve(score ? "onnx-score" : "onnx-embed");
        Path file = directory.resolve(MODEL);
        if (!Files.exists(file)) {
            try (DecoderTensors tensors = DecoderTensors.open(shape, checkpoint);
                    OnnxWriter writer = new OnnxWriter(directory)) {
                new OnnxGraph(shape, writer).write(tensors, score);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return file;
    }

    private void write(DecoderTensors tensors, boolean score) {
        out.input("ids", OnnxWriter.INT64, "texts", "length");
        out.input("shape", OnnxWriter.INT64, "three");
        out.input("global", OnnxWriter.FLOAT, "one", "heads", "length", "length");
        String table = out.weight(tensors.embedding(), shape.vocabulary(), shape.hidden());
        String x = out.node("Gather", table, "ids").apply();
        if (shape.family() == ModelShape.Family.BLOOM) {
            x = norm(x, tensors.embeddingNorm());
        } else {
            out.input("positions", OnnxWriter.INT64, "length");
            String positions = out.weight(tensors.positions(), shape.positions(), shape.hidden());
            x = out.node("Add", x, out.node("Gather", positions, "positions").apply())
                    .apply();
        }
        if (shape.window() > 0) {
            out.input("local", OnnxWriter.FLOAT, "one", "heads", "length", "length");
        }
        // [texts · length, hidden] from here on.
        x = out.node("Flatten", x).integer("axis", 2).apply();
        for (int i = 0; i < shape.layers(); i++) {
            x = layer(x, tensors.layer(i), shape.window(i) > 0 ? "local" : "global");
        }
        x = norm(x, tensors.finalNorm());
        if (score) {
            out.input("rows", OnnxWriter.INT64, "n");
            out.input("targets", OnnxWriter.INT64, "n", "one");
            String rows = out.node("Gather", x, "rows").apply();
            String logits = out.node("Gemm", rows, table).integer("transB", 1).apply();
            String log = out.node("LogSoftmax", logits).integer("axis", -1).apply();
            out.node("GatherElements", log, "targets").integer("axis", 1).to("chosen");
            out.output("chosen", "n", "one");
        } else {
            out.input("weights", OnnxWriter.FLOAT, "texts", "one", "length");
            out.node("MatMul", "weights", out.node("Reshape", x, "shape").apply())
                    .to("pooled");
            out.output("pooled", "texts", "one", "hidden");
        }
    }

    private String layer(String x, DecoderTensors.Layer layer, String mask) {
        int hidden = shape.hidden();
        String normed = norm(x, layer.norm1());
        String[] heads = new String[3];
        for (int part = 0; part < heads.length; part++) {
            float[] weight = new float[hidden * hidden];
            float[] bias = new float[hidden];
            System.arraycopy(layer.qkv().weight(), part * weight.length, weight, 0, weight.length);
            System.arraycopy(layer.qkv().bias(), part * hidden, bias, 0, hidden);
            String flat = linear(normed, new DecoderTensors.Affine(weight, bias), hidden);
            heads[part] = out.node("Reshape", flat, "shape").apply();
        }
        // The scale of the scores is already folded into the queries.
        String context = out.microsoftNode("MultiHeadAttention", heads[0], heads[1], heads[2], "", "", mask)
                .integer("num_heads", shape.heads())
                .real("scale", 1)
                .apply();
        String flat = out.node("Flatten", context).integer("axis", 2).apply();
        String middle =
                out.node("Add", x, linear(flat, layer.attentionOut(), hidden)).apply();
        String inner = linear(norm(middle, layer.norm2()), layer.up(), hidden);
        boolean exact = shape.family() != ModelShape.Family.BLOOM
                && Settings.activation().equals("gelu");
        String activated = out.node("Gelu", inner)
                .text("approximate", exact ? "none" : "tanh")
                .apply();
        return out.node("Add", middle, linear(activated, layer.down(), shape.feedForward()))
                .apply();
    }

    private String norm(String x, DecoderTensors.Affine norm) {
        return out.node(
                        "LayerNormalization",
                        x,
                        out.weight(norm.weight(), shape.hidden()),
                        out.weight(norm.bias(), shape.hidden()))
                .integer("axis", -1)
                .real("epsilon", EPSILON)
                .apply();
    }

    private String linear(String x, DecoderTensors.Affine module, int in) {
        int features = module.bias().length;
        return out.node("Gemm", x, out.weight(module.weight(), features, in), out.weight(module.bias(), features))
                .integer("transB", 1)
                .apply();
    }
}
