package io.github.sgpt4j.training.data;

/// Random numbers that depend on a seed and a purpose only, on every machine and Java version:
/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
final class RandomOrder {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    /// @param seed of the training
    /// @param purpose numbers that tell this sequence from others with the same seed
    RandomOrder(long seed, long... purpose) {
        state = seed;
        for (long part : purpose) {
            state = next() + part;
        }
    }

    private long next() {
        state += GAMMA;
        long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    /// A number from 0 to `bound - 1`; differences of their probabilities are below 2⁻³³.
    int below(int bound) {
        return (int) Math.unsignedMultiplyHigh(next(), (long) bound);
    }

    /// The numbers from 0 to `size - 1` in random order (Durstenfeld's shuffle).
    int[] permutation(int size) {
        int[] order = new int[size];
        for (int i = 0; i < size; i++) {
            int j = below(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
