package io.github.sgpt4j.jmh;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainingDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Our training, in batches of texts of about equal length with as many tokens as training takes by default.
final class OwnTrainer implements Peer.Trainer {
    private final TrainableModel model;
    private final long batchTokens;
    private long backwardNanos;

    /// @param model closed with this object
    OwnTrainer(TrainableModel model) {
        this.model = model;
        TrainingDevice device = model.devices().getFirst();
        // No optimizer holds memory.
        this.batchTokens = Math.min(model.model().batchTokens(), device.roomForPasses(0) / device.bytesPerToken());
    }

    @Override
    public float[] step(List<String> texts, float[][] directions) {
        model.clearGradients();
        int[][] ids = ids(texts);
        float[] losses = new float[ids.length];
        for (List<Integer> batch : batches(ids)) {
            try (TrainingDevice.Pass pass = forward(ids, batch)) {
                for (int i = 0; i < batch.size(); i++) {
                    losses[batch.get(i)] = product(pass.embeddings()[i], directions[batch.get(i)]);
                }
                long start = System.nanoTime();
                pass.backward(batch.stream().map(i -> directions[i]).toArray(float[][]::new));
                backwardNanos += System.nanoTime() - start;
            }
        }
        return losses;
    }

    private int[][] ids(List<String> texts) {
        return texts.stream().map(text -> model.tokens(text, TextKind.TEXT)).toArray(int[][]::new);
    }

    /// Indices of texts, longest first.
    private List<List<Integer>> batches(int[][] ids) {
        Integer[] order = new Integer[ids.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingInt((Integer i) -> -ids[i].length));
        List<List<Integer>> batches = new ArrayList<>();
        long filled = batchTokens;
        for (int i : order) {
            if (filled + ids[i].length > batchTokens) {
                batches.add(new ArrayList<>());
                filled = 0;
            }
            batches.getLast().add(i);
            filled += ids[i].length;
        }
        return batches;
    }

    private TrainingDevice.Pass forward(int[][] ids, List<Integer> batch) {
        return model.forward(
                batch.stream().map(i -> ids[i]).toList(), Collections.nCopies(batch.size(), TextKind.TEXT));
    }

    private static float product(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return (float) sum;
    }

    @Override
    public Map<String, float[]> gradients() {
        Map<String, float[]> gradients = new TreeMap<>();
        model.tensors().forEach(tensor -> {
            double[] gradient = new double[Math.toIntExact(tensor.elements())];
            model.gradient(tensor.name(), gradient);
            float[] rounded = new float[gradient.length];
            for (int i = 0; i < rounded.length; i++) {
                rounded[i] = (float) gradient[i];
            }
            gradients.put(tensor.name(), rounded);
        });
        return gradients;
    }

    @Override
    public double backwardSeconds() {
        return backwardNanos / 1e9;
    }

    /// What is live on the heap after the forward pass and was not before. Arrays for reuse lie on the heap as well, so
    /// this is right only for a model that has computed nothing large.
    @Override
    public long keptBytes(List<String> texts) {
        int[][] ids = ids(texts);
        long before = Footprint.live();
        try (TrainingDevice.Pass pass = model.forward(List.of(ids), Collections.nCopies(ids.length, TextKind.TEXT))) {
            return Footprint.live() - before - (long) pass.embeddings().length * model.dimension() * Float.BYTES;
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
