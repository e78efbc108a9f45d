package io.github.sgpt4j;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Upper bounds of an idle device's speed: the best rates of a large matrix product and of a large
/// copy, measured through the same backend that models use.
///
/// @param backend borrowed
record Ceilings(Backend backend) {
    private static final int MIN_SIZE = 512;
    private static final int MAX_SIZE = 8192;
    /// A product that takes this long is large enough to measure.
    private static final double ENOUGH_SECONDS = 0.1;

    private static final int REPEATS = 5;
    private static final int COPY_COLUMNS = 4096;
    private static final int COPY_ROWS = 4096;
    private static final double NANOS = 1e9;

    /// Measures.
    ///
    /// @param most seconds after which no larger product is tried, nor one that would take as long with its
    ///     repetitions
    SpeedReport.Ceiling measure(double most) {
        double best = 0;
        long begin = System.nanoTime();
        for (int size = MIN_SIZE; size <= MAX_SIZE; size *= 2) {
            double seconds = product(size);
            best = Math.max(best, 2.0 * size * size * size / seconds);
            // The next size takes eight times as long.
            double spent = (System.nanoTime() - begin) / NANOS;
            if (seconds > ENOUGH_SECONDS || spent > most || 8 * seconds * (REPEATS + 1) > most) {
                break;
            }
        }
        return new SpeedReport.Ceiling(best, copy());
    }

    /// Seconds of the fastest product of square matrices.
    private double product(int size) {
        // The handle lives as long as the backend, but nothing uses it after the last synchronisation below.
        try (Weights weights =
                        Weights.random(Path.of("ceiling"), Map.of("w", new long[] {size, size}), ElementType.F32, 1);
                Tensor x = backend.allocateInner(size, size);
                Tensor some = backend.upload(random(MIN_SIZE * size), MIN_SIZE, size);
                Tensor out = backend.allocateInner(size, size)) {
            // Converts to the element type that products read.
            Norm none = backend.norm(NormParameters.identity(size));
            for (int row = 0; row < size; row += MIN_SIZE) {
                backend.norm(some, none, x.slice(row, MIN_SIZE));
            }
            Linear linear = backend.linear(List.of(MatrixRows.all(weights.get("w"))), List.of());
            return fastest(() -> backend.linear(x, linear, Activation.NONE, out));
        }
    }

    private static float[] random(int count) {
        SplittableRandom random = new SplittableRandom(1);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat(-1f, 1f);
        }
        return values;
    }

    /// Bytes read plus bytes written, per second.
    private double copy() {
        try (Tensor from = backend.allocate(COPY_ROWS, COPY_COLUMNS);
                Tensor to = backend.allocate(COPY_ROWS, COPY_COLUMNS)) {
            try (Tensor some = backend.upload(random(MIN_SIZE * COPY_COLUMNS), MIN_SIZE, COPY_COLUMNS)) {
                for (int row = 0; row < COPY_ROWS; row += MIN_SIZE) {
                    backend.copy(some, from.slice(row, MIN_SIZE));
                }
            }
            double bytes = 2.0 * COPY_ROWS * COPY_COLUMNS * Float.BYTES;
            return bytes / fastest(() -> backend.copy(from, to));
        }
    }

    private double fastest(Runnable operation) {
        operation.run();
        backend.synchronize();
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < REPEATS; i++) {
            long start = System.nanoTime();
            operation.run();
            backend.synchronize();
            best = Math.min(best, (System.nanoTime() - start) / NANOS);
        }
        return best;
    }
}
