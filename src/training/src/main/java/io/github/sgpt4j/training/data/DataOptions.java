package io.github.sgpt4j.training.data;

import java.util.OptionalInt;

/// What becomes of the files.
///
/// @param negatives number of negatives of a triple; if empty, 1, or 0 if the data have none
/// @param negativesPerSystem MS MARCO: how many negatives of each retrieval system a query gets
/// @param margin MS MARCO: how far the cross-encoder's score of a negative must be below that of the
///     lowest positive
/// @param seed of everything that is drawn at random
public record DataOptions(OptionalInt negatives, int negativesPerSystem, double margin, long seed) {
    /// As in sentence-transformers' script for MS MARCO.
    public static final DataOptions DEFAULT = new DataOptions(OptionalInt.empty(), 5, 3.0, 0);

    private static final int MAX_NEGATIVES = 1000;

    /// Checks the numbers.
    public DataOptions {
        if (negatives.isPresent() && (negatives.getAsInt() < 0 || negatives.getAsInt() > MAX_NEGATIVES)) {
            throw new IllegalArgumentException(
                    "expected between 0 and %d negatives, got %d".formatted(MAX_NEGATIVES, negatives.getAsInt()));
        }
        if (negativesPerSystem < 1) {
            throw new IllegalArgumentException("expected at least one negative per system, got " + negativesPerSystem);
        }
        if (!(margin >= 0) || Double.isInfinite(margin)) {
            throw new IllegalArgumentException("expected a margin of at least 0, got " + margin);
        }
    }

    /// The same with a number of negatives.
    public DataOptions withNegatives(int count) {
        return new DataOptions(OptionalInt.of(count), negativesPerSystem, margin, seed);
    }

    /// The same with another seed.
    public DataOptions withSeed(long other) {
        return new DataOptions(negatives, negativesPerSystem, margin, other);
    }

    /// The same with other rules for MS MARCO.
    public DataOptions withHardNegatives(int perSystem, double otherMargin) {
        return new DataOptions(negatives, perSystem, otherMargin, seed);
    }
}
