package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.training.TrainingMemory;
import java.util.Locale;

/// Says what a training needs of memory.
final class MemoryLine {
    private static final double MEGABYTE = 1e6;
    private static final double GIGABYTE = 1e9;

    private MemoryLine() {}

    /// @param device as [io.github.sgpt4j.Model#device]
    static String of(TrainingMemory memory, String device) {
        String weights = bytes(memory.weights());
        String activations = bytes(memory.activations());
        if (device.equals("cpu")) {
            return "memory: %s for weights, %s for gradients and optimizer, up to %s for activations"
                    .formatted(weights, bytes(memory.sums() + memory.state() + memory.copies()), activations);
        }
        return "memory: %s%s for weights, %s for gradients, up to %s for activations; here %s for the optimizer"
                .formatted(
                        device.contains(",") ? "on each device " : "on the device ",
                        weights,
                        bytes(memory.sums()),
                        activations,
                        bytes(memory.state() + memory.copies()));
    }

    private static String bytes(long count) {
        return count < GIGABYTE
                ? String.format(Locale.ROOT, "%.1f MB", count / MEGABYTE)
                : String.format(Locale.ROOT, "%.1f GB", count / GIGABYTE);
    }
}
