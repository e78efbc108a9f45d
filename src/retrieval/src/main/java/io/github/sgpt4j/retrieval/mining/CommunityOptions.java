package io.github.sgpt4j.retrieval.mining;

import io.github.sgpt4j.ProgressListener;
import java.util.OptionalInt;

/// Which communities are looked for. Immutable: each `with` method returns a changed copy.
///
/// @param threshold cosine that members have at least with the centre
/// @param minSize fewest members
/// @param threads that compare; empty for one per processor
/// @param progress told about texts that have been compared; may interrupt the thread
public record CommunityOptions(float threshold, int minSize, OptionalInt threads, ProgressListener progress) {
    /// As in sentence-transformers: at least 10 members, with a cosine of at least 0.75.
    public static final CommunityOptions DEFAULT =
            new CommunityOptions(0.75f, 10, OptionalInt.empty(), ProgressListener.NONE);

    /// @throws IllegalArgumentException if the threshold is not from -1 to 1, or a number is less than
    ///     1
    public CommunityOptions {
        if (!(threshold >= -1 && threshold <= 1)) {
            throw new IllegalArgumentException("threshold: expected a cosine, from -1 to 1, got " + threshold);
        }
        if (minSize < 1 || threads.orElse(1) < 1) {
            throw new IllegalArgumentException(
                    "size, threads: expected at least 1, got %d, %s".formatted(minSize, threads));
        }
    }

    /// With members this close to the centre.
    public CommunityOptions withThreshold(float value) {
        return new CommunityOptions(value, minSize, threads, progress);
    }

    /// With communities of at least this many members.
    public CommunityOptions withMinSize(int value) {
        return new CommunityOptions(threshold, value, threads, progress);
    }

    /// With this many threads.
    public CommunityOptions withThreads(int value) {
        return new CommunityOptions(threshold, minSize, OptionalInt.of(value), progress);
    }

    /// Telling a listener about the work that is done.
    public CommunityOptions withProgress(ProgressListener value) {
        return new CommunityOptions(threshold, minSize, threads, value);
    }
}
