package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import java.util.SplittableRandom;

/// Random inputs, the same in every run unless `-Dsgpt4j.seed=` says otherwise; failures show the seed.
final class TestData {
    static final long SEED = Long.getLong("sgpt4j.seed", 20220217L);

    /// Sizes below, at and above the vector widths (4, 8, 16 floats), the register tiles and the
    /// panels, and primes.
    static final int[] SIZES = {
        1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 31, 32, 33, 63, 64, 65, 100, 127, 383, 384, 385, 769
    };

    private final SplittableRandom random = new SplittableRandom(SEED);

    /// Normally distributed values.
    float[] normal(int count, double mean, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return values;
    }

    float[] normal(int count) {
        return normal(count, 0, 1);
    }

    /// Weights of a matrix `[out, in]` that preserves the magnitude of its input: deviation 1/√in.
    float[] weights(int out, int in) {
        return normal(Math.multiplyExact(out, in), 0, 1 / Math.sqrt(in));
    }

    int[] integers(int count, int bound) {
        return random.ints(count, 0, bound).toArray();
    }

    int[] ids(int count, int vocabulary) {
        return integers(count, vocabulary);
    }

    boolean flip() {
        return random.nextBoolean();
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /// Independent segments of the given lengths, token ids all 0.
    static PackedBatch segments(int... lengths) {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        for (int length : lengths) {
            builder.add(new int[length]);
        }
        return builder.build();
    }

    /// A segment of cached tokens first if `cached > 0`, then the segments, token ids all 0;
    /// `parents[s]` counts the cached segment.
    static PackedBatch tree(int cached, int[] lengths, int[] parents) {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        if (cached > 0) {
            builder.addCached(cached);
        }
        for (int s = 0; s < lengths.length; s++) {
            builder.add(new int[lengths[s]], 0, lengths[s], parents[s]);
        }
        return builder.build();
    }
}
