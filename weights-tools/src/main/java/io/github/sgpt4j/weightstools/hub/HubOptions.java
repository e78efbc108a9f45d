package io.github.sgpt4j.weightstools.hub;

/// How to download.
///
/// @param force fetch files anew that are there already
/// @param parallel most files fetched at a time
public record HubOptions(boolean force, int parallel) {
    /// What is there stays; four files at a time.
    public static final HubOptions DEFAULT = new HubOptions(false, 4);

    private static final int MOST_PARALLEL = 64;

    /// @throws IllegalArgumentException if `parallel` is not 1 to 64
    public HubOptions {
        if (parallel < 1 || parallel > MOST_PARALLEL) {
            throw new IllegalArgumentException(
                    "expected 1 to %d files at a time, got %d".formatted(MOST_PARALLEL, parallel));
        }
    }

    /// With files fetched anew that are there already, or kept.
    public HubOptions withForce(boolean value) {
        return new HubOptions(value, parallel);
    }

    /// With this many files fetched at a time at most.
    ///
    /// @throws IllegalArgumentException if not 1 to 64
    public HubOptions withParallel(int value) {
        return new HubOptions(force, value);
    }
}
