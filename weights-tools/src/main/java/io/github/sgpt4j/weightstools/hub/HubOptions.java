package io.github.sgpt4j.weightstools.hub;

/// How to download.
///
/// @param force download existing files again
/// @param parallel most files downloaded at a time
/// @param minRate least bytes per second, over a minute and all files downloaded at the same time; 0
///     for no limit
/// @param maxBytes most bytes of all files of the model in total
/// @param strict refuse files without a hash from the hub, of which only the length can be checked
public record HubOptions(boolean force, int parallel, long minRate, long maxBytes, boolean strict) {
    /// Existing files are kept; four files at a time; at least 10,000 bytes per second; any size; a
    /// notice about files without a hash.
    public static final HubOptions DEFAULT = new HubOptions(false, 4, 10_000, Long.MAX_VALUE, false);

    private static final int MAX_PARALLEL = 64;

    /// @throws IllegalArgumentException if `parallel` is not 1 to 64, `minRate` is negative or
    ///     `maxBytes` not positive
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

    /// With existing files downloaded again, or kept.
    public HubOptions withForce(boolean value) {
        return new HubOptions(value, parallel, minRate, maxBytes, strict);
    }

    /// With at most this many files downloaded at a time.
    ///
    /// @throws IllegalArgumentException if not 1 to 64
    public HubOptions withParallel(int value) {
        return new HubOptions(force, value, minRate, maxBytes, strict);
    }

    /// With a minimum rate in bytes per second; 0 for no limit.
    ///
    /// @throws IllegalArgumentException if negative
    public HubOptions withMinRate(long value) {
        return new HubOptions(force, parallel, value, maxBytes, strict);
    }

    /// With at most this many bytes in all files of a model.
    ///
    /// @throws IllegalArgumentException if not positive
    public HubOptions withMaxBytes(long value) {
        return new HubOptions(force, parallel, minRate, value, strict);
    }

    /// With files without a hash refused, or reported by a notice.
    public HubOptions withStrict(boolean value) {
        return new HubOptions(force, parallel, minRate, maxBytes, value);
    }
}
