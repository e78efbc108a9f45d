package io.github.sgpt4j.retrieval.mining;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import java.util.Optional;
import java.util.OptionalInt;

/// What pairs are looked for. Immutable: each `with` method returns a changed copy.
///
/// @param similarity how texts are compared
/// @param maxPairs most pairs of the result
/// @param minScore similarity that pairs must have at least, if any
/// @param neighbours only pairs in which one text is among this many most similar ones of the other, if
///     given
/// @param threads that compare; empty for one per processor
/// @param progress told about texts that have been compared with all others; may interrupt the thread
public record MiningOptions(
        Similarity similarity,
        int maxPairs,
        Optional<Float> minScore,
        OptionalInt neighbours,
        OptionalInt threads,
        ProgressListener progress) {
    /// The 500,000 most similar pairs by the cosine.
    public static final MiningOptions DEFAULT = new MiningOptions(
            Similarity.COSINE,
            500_000,
            Optional.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            ProgressListener.NONE);

    /// @throws IllegalArgumentException if a number is less than 1, or the least similarity is not
    ///     finite
    public MiningOptions {
        if (maxPairs < 1 || neighbours.orElse(1) < 1 || threads.orElse(1) < 1) {
            throw new IllegalArgumentException("pairs, neighbours, threads: expected at least 1, got %d, %s, %s"
                    .formatted(maxPairs, neighbours, threads));
        }
        if (minScore.isPresent() && !Float.isFinite(minScore.get())) {
            throw new IllegalArgumentException("least similarity: expected a finite number, got " + minScore.get());
        }
    }

    /// Comparing by another similarity.
    public MiningOptions withSimilarity(Similarity value) {
        return new MiningOptions(value, maxPairs, minScore, neighbours, threads, progress);
    }

    /// With at most this many pairs.
    public MiningOptions withMaxPairs(int value) {
        return new MiningOptions(similarity, value, minScore, neighbours, threads, progress);
    }

    /// Without pairs that are less similar.
    public MiningOptions withMinScore(float value) {
        return new MiningOptions(similarity, maxPairs, Optional.of(value), neighbours, threads, progress);
    }

    /// Only with pairs in which one text is among this many most similar ones of the other: `top_k` of
    /// sentence-transformers. Takes twice as long.
    public MiningOptions withNeighbours(int value) {
        return new MiningOptions(similarity, maxPairs, minScore, OptionalInt.of(value), threads, progress);
    }

    /// With this many threads.
    public MiningOptions withThreads(int value) {
        return new MiningOptions(similarity, maxPairs, minScore, neighbours, OptionalInt.of(value), progress);
    }

    /// Telling a listener about texts that have been compared with all others.
    public MiningOptions withProgress(ProgressListener value) {
        return new MiningOptions(similarity, maxPairs, minScore, neighbours, threads, value);
    }
}
