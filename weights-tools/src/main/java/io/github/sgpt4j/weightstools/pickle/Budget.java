package io.github.sgpt4j.weightstools.pickle;

/// How much one pickle may build. Every step has a cost and nothing is refunded, so this bounds both
/// time and memory, whatever the steps are.
final class Budget {
    /// Approximate bytes that all values of a pickle may take; a tensor with its name takes less than
    /// 1,000.
    static final long MAX_BYTES = 96L << 20;

    static final int STEP = 8;
    static final int SMALL = 32;
    static final int CONTAINER = 120;
    static final int ENTRY = 80;
    static final int REFERENCE = 8;

    private final PickleInput input;
    private long left = MAX_BYTES;

    Budget(PickleInput input) {
        this.input = input;
    }

    /// @throws io.github.sgpt4j.error.FormatException if the pickle has used up its budget
    void spend(long bytes) {
        if (bytes > left) {
            throw input.bad("expected a pickle of at most about %d bytes in memory, got more".formatted(MAX_BYTES));
        }
        left -= bytes;
    }
}
