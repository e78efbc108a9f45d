package io.github.sgpt4j.jmh.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Peer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Embeds in length-sorted, padded batches; pooling is one batched product with the positions' weights.
final class DjlEmbedder implements Peer.Embedder {
    private final NDManager manager;
    private final RustTokenizer tokenizer;
    private final DjlDecoder decoder;
    private final int hidden;

    DjlEmbedder(NDManager manager, ModelShape shape, Path checkpoint, int maxTokens) {
        this.manager = manager;
        this.tokenizer = new RustTokenizer(checkpoint, maxTokens);
        this.decoder = new DjlDecoder(manager, shape, checkpoint);
        this.hidden = shape.hidden();
    }

    @Override
    public float[][] embed(List<String> texts) {
        int[][] sequences = tokenizer.encodeAll(texts);
        float[][] vectors = new float[sequences.length][];
        for (int[] group : Padding.groups(sequences)) {
            try (NDManager batch = manager.newSubManager()) {
                long[][] ids = Padding.padded(sequences, group);
                int length = ids[0].length;
                NDArray states = decoder.forward(batch, ids);
                NDArray weights = batch.create(
                        Padding.positionWeights(sequences, group, length), new Shape(group.length, 1, length));
                float[] pooled = weights.batchMatMul(states).toFloatArray();
                for (int g = 0; g < group.length; g++) {
                    vectors[group[g]] = Arrays.copyOfRange(pooled, g * hidden, (g + 1) * hidden);
                }
            }
        }
        return vectors;
    }

    @Override
    public void close() {
        decoder.close();
        tokenizer.close();
        manager.close();
    }
}
