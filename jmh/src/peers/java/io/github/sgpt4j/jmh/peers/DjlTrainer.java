package io.github.sgpt4j.jmh.peers;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.sgpt4j.jmh.ModelShape;
import io.github.sgpt4j.jmh.Peer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Trains with PyTorch's autograd, in length-sorted, padded batches: only biases require gradients.
final class DjlTrainer implements Peer.Trainer {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String RESIDENT = "VmRSS:";

    private final NDManager manager;
    private final RustTokenizer tokenizer;
    private final DjlDecoder decoder;
    private final int hidden;
    private long backwardNanos;

    DjlTrainer(NDManager manager, ModelShape shape, Path checkpoint, int maxTokens) {
        this.manager = manager;
        this.tokenizer = new RustTokenizer(checkpoint, maxTokens);
        this.decoder = new DjlDecoder(manager, shape, checkpoint, true);
        this.hidden = shape.hidden();
    }

    @Override
    public float[] step(List<String> texts, float[][] directions) {
        clearGradients();
        int[][] sequences = tokenizer.encodeAll(texts);
        float[] losses = new float[sequences.length];
        try (GradientCollector collector = Engine.getEngine(DjlPeer.ENGINE).newGradientCollector()) {
            for (int[] group : Padding.groups(sequences)) {
                try (NDManager batch = manager.newSubManager()) {
                    NDArray embeddings = embeddings(batch, sequences, group);
                    float[] chosen = new float[group.length * hidden];
                    for (int g = 0; g < group.length; g++) {
                        System.arraycopy(directions[group[g]], 0, chosen, g * hidden, hidden);
                    }
                    NDArray direction = batch.create(chosen, new Shape(group.length, hidden));
                    NDArray each = embeddings.mul(direction).sum(new int[] {1});
                    NDArray loss = each.sum();
                    long start = System.nanoTime();
                    collector.backward(loss);
                    backwardNanos += System.nanoTime() - start;
                    float[] values = each.toFloatArray();
                    for (int g = 0; g < group.length; g++) {
                        losses[group[g]] = values[g];
                    }
                }
            }
        }
        return losses;
    }

    private void clearGradients() {
        for (NDArray bias : decoder.biases().values()) {
            try (NDArray gradient = bias.getGradient()) {
                gradient.muli(0);
            }
        }
    }

    /// `[texts, hidden]`
    private NDArray embeddings(NDManager batch, int[][] sequences, int[] group) {
        long[][] ids = Padding.padded(sequences, group);
        int length = ids[0].length;
        NDArray states = decoder.forward(batch, ids);
        NDArray weights =
                batch.create(Padding.positionWeights(sequences, group, length), new Shape(group.length, 1, length));
        return weights.batchMatMul(states).reshape(group.length, hidden);
    }

    @Override
    public Map<String, float[]> gradients() {
        Map<String, float[]> gradients = new TreeMap<>();
        decoder.biases().forEach((name, bias) -> {
            try (NDArray gradient = bias.getGradient()) {
                gradients.put(name, gradient.toFloatArray());
            }
        });
        return gradients;
    }

    @Override
    public double backwardSeconds() {
        return backwardNanos / 1e9;
    }

    /// The growth of the process's resident memory, since the activations are outside the heap.
    @Override
    public long keptBytes(List<String> texts) {
        int[][] sequences = tokenizer.encodeAll(texts);
        int[] group = IntStream.range(0, sequences.length).toArray();
        try (NDManager batch = manager.newSubManager();
                GradientCollector collector = Engine.getEngine(DjlPeer.ENGINE).newGradientCollector()) {
            long before = resident();
            NDArray loss = embeddings(batch, sequences, group).sum();
            long kept = resident() - before;
            collector.backward(loss);
            return kept;
        }
    }

    private static long resident() {
        try {
            String line = Files.readAllLines(STATUS).stream()
                    .filter(l -> l.startsWith(RESIDENT))
                    .findFirst()
                    .orElseThrow();
            return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        decoder.close();
        tokenizer.close();
        manager.close();
    }
}
