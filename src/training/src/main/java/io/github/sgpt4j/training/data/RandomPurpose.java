package io.github.sgpt4j.training.data;

/// What random numbers are drawn for.
final class RandomPurpose {
    /// The order of rows in a pass.
    static final long ROWS = 1;

    /// The order of a row's negatives.
    static final long NEGATIVES = 2;

    /// The partners of a sentence of AllNLI.
    static final long PARTNERS = 3;

    private RandomPurpose() {}
}
