package io.github.sgpt4j.jmh.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.core.Embedding;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Peer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Scores in length-sorted, padded batches; only the states before scored tokens go through the output head.
final class DjlScorer implements Peer.Scorer {
    private static final String PROMPT = CrossEncoderOptions.DEFAULT.prompt();

    private final NDManager manager;
    private final RustTokenizer tokenizer;
    private final DjlDecoder decoder;
    private final ModelShape shape;

    DjlScorer(NDManager manager, ModelShape shape, Path checkpoint) {
        this.manager = manager;
        this.tokenizer = new RustTokenizer(checkpoint, 0);
        this.decoder = new DjlDecoder(manager, shape, checkpoint);
        this.shape = shape;
    }

    @Override
    public float[] score(String query, List<String> documents) {
        int[] queryIds = tokenizer.encode(query);
        int[][] contexts = tokenizer.encodeAll(
                documents.stream().map(d -> PROMPT.replace("{}", d)).toList());
        int[][] sequences = new int[contexts.length][];
        for (int i = 0; i < sequences.length; i++) {
            // The last token of the query predicts nothing.
            sequences[i] = Arrays.copyOf(contexts[i], contexts[i].length + queryIds.length - 1);
            System.arraycopy(queryIds, 0, sequences[i], contexts[i].length, queryIds.length - 1);
            if (sequences[i].length > shape.positions()) {
                throw new IllegalArgumentException("a document of %d tokens is too long".formatted(contexts[i].length));
            }
        }
        float[] scores = new float[sequences.length];
        for (int[] group : Padding.groups(sequences)) {
            try (NDManager batch = manager.newSubManager()) {
                score(batch, sequences, group, queryIds, scores);
            }
        }
        return scores;
    }

    private void score(NDManager batch, int[][] sequences, int[] group, int[] query, float[] scores) {
        long[][] ids = Padding.padded(sequences, group);
        int length = ids[0].length;
        long[] rows = new long[group.length * query.length];
        long[] targets = new long[rows.length];
        for (int g = 0; g < group.length; g++) {
            int first = sequences[group[g]].length - query.length;
            for (int t = 0; t < query.length; t++) {
                rows[g * query.length + t] = (long) g * length + first + t;
                targets[g * query.length + t] = query[t];
            }
        }
        NDArray states = decoder.forward(batch, ids).reshape((long) group.length * length, shape.hidden());
        NDArray scored = Embedding.embedding(batch.create(rows), states, SparseFormat.DENSE)
                .singletonOrThrow();
        NDArray target = batch.create(targets, new Shape(rows.length, 1));
        float[] chosen =
                decoder.logits(scored).logSoftmax(-1).gather(target, 1).toFloatArray();
        for (int g = 0; g < group.length; g++) {
            double sum = 0;
            for (int t = 0; t < query.length; t++) {
                sum += chosen[g * query.length + t];
            }
            scores[group[g]] = (float) sum;
        }
    }

    @Override
    public void close() {
        decoder.close();
        tokenizer.close();
        manager.close();
    }
}
