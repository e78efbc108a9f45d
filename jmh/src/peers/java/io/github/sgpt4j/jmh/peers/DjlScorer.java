package io.github.sgpt4j.jmh.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.core.Embedding;
import io.github.sgpt4j.jmh.ModelShape;
import java.nio.file.Path;

/// The cross-encoder with DJL.
final class DjlScorer extends PaddedScorer {
    private final NDManager manager;
    private final DjlDecoder decoder;
    private final ModelShape shape;

    DjlScorer(NDManager manager, ModelShape shape, Path checkpoint) {
        super(new RustTokenizer(checkpoint, 0), shape.positions());
        this.manager = manager;
        this.decoder = new DjlDecoder(manager, shape, checkpoint);
        this.shape = shape;
    }

    @Override
    float[] logProbabilities(int[][] sequences, int[] group, long[] rows, long[] targets) {
        try (NDManager batch = manager.newSubManager()) {
            long[][] ids = Padding.padded(sequences, group);
            NDArray states = decoder.forward(batch, ids).reshape((long) group.length * ids[0].length, shape.hidden());
            NDArray scored = Embedding.embedding(batch.create(rows), states, SparseFormat.DENSE)
                    .singletonOrThrow();
            NDArray target = batch.create(targets, new Shape(targets.length, 1));
            return decoder.logits(scored).logSoftmax(-1).gather(target, 1).toFloatArray();
        }
    }

    @Override
    public void close() {
        super.close();
        decoder.close();
        manager.close();
    }
}
