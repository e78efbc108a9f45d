package io.github.sgpt4j.model.family;

/// How a decoder encodes the order of its tokens.
public sealed interface Positions {
    /// Whether sequences may be longer than the model was trained for. A table has a fixed number of
    /// rows; rotations and biases extend to any position.
    default boolean unlimited() {
        return switch (this) {
            case Learned l -> false;
            case Rotary r -> r.unlimited();
            case Alibi a -> true;
        };
    }

    /// A table of vectors added to the embeddings; position `p` uses row `p + offset`.
    record Learned(int offset) implements Positions {}

    /// Rotation of queries and keys.
    ///
    /// @param dimensions leading dimensions of a head that are rotated
    /// @param interleaved pairs `(2p, 2p + 1)` instead of `(p, p + dimensions / 2)`
    /// @param inverseFrequencies `[dimensions / 2]`; must not be changed
    /// @param scale factor on cosine and sine
    /// @param unlimited whether the frequencies are the same for sequences of any length
    record Rotary(int dimensions, boolean interleaved, double[] inverseFrequencies, float scale, boolean unlimited)
            implements Positions {}

    /// Attention with linear biases.
    ///
    /// @param slopes `[heads]`; must not be changed
    record Alibi(float[] slopes) implements Positions {
        /// The slopes of the reference implementation (Press et al. 2021): a geometric sequence for the
        /// largest power of two in `heads`, then every other element of the sequence for twice that
        /// power.
        public static Alibi forHeads(int heads) {
            int power = Integer.highestOneBit(heads);
            float[] slopes = new float[heads];
            for (int h = 0; h < heads; h++) {
                double exponent = h < power ? (h + 1) * 8.0 / power : (2 * (h - power) + 1) * 4.0 / power;
                slopes[h] = (float) Math.pow(2, -exponent);
            }
            return new Alibi(slopes);
        }
    }
}
