package io.github.sgpt4j.weightstools.hub;

/// How to download.
///
/// @param force fetch files anew that are there already
/// @param parallel most files fetched at a time
/// @param minRate bytes a second that have to come at least, over a minute and all files that are fetched at the same
///     time; 0 for any rate
/// @param maxBytes most bytes that all files of the model may have together
/// @param strict refuse files that the hub tells no hash of, so that nothing but their length can be checked
public record HubOptions(boolean force, int parallel, long minRate, long maxBytes, boolean strict) {
    /// What is there stays; four files at a time; at least 10,000 bytes a second; any size; notices about files
    /// without a hash.
    public static final HubOptions DEFAULT = new HubOptions(false, 4, 10_000, Long.MAX_VALUE, false);

    private static final int MAX_PARALLEL = 64;

    /// @throws IllegalArgumentException if `parallel` is not 1 to 64, `minRate` is negative or `maxBytes` not positive
    public HubOptions {
        if (parallel < 1 || parallel > MAX_PARALLEL) {
            throw new IllegalArgumentException(
                    "expected 1 to %d files at a time, got %d".formatted(MAX_PARALLEL, parallel));
        }
        if (minRate < 0) {
            throw new IllegalArgumentException("expected a rate of at least 0 bytes a second, got " + minRate);
        }
        if (maxBytes < 1) {
            throw new IllegalArgumentException("expected a limit of at least 1 byte, got " + maxBytes);
        }
    }

    /// With files fetched anew that are there already, or kept.
    public HubOptions withForce(boolean value) {
        return new HubOptions(value, parallel, minRate, maxBytes, strict);
    }

    /// With this many files fetched at a time at most.
    ///
    /// @throws IllegalArgumentException if not 1 to 64
    public HubOptions withParallel(int value) {
        return new HubOptions(force, value, minRate, maxBytes, strict);
    }

    /// With a least rate in bytes a second, 0 for any.
    ///
    /// @throws IllegalArgumentException if negative
    public HubOptions withMinRate(long value) {
        return new HubOptions(force, parallel, value, maxBytes, strict);
    }

    /// With at most so many bytes in all files of a model.
    ///
    /// @throws IllegalArgumentException if not positive
    public HubOptions withMaxBytes(long value) {
        return new HubOptions(force, parallel, minRate, value, strict);
    }

    /// With files that have no hash refused, or told.
    public HubOptions withStrict(boolean value) {
        return new HubOptions(force, parallel, minRate, maxBytes, value);
    }
}
