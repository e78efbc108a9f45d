package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.server.metrics.Timing;
import java.util.List;
import java.util.stream.IntStream;

/// Embeddings of a request's inputs, in order.
///
/// @param vectors `[inputs][dimensions]`
/// @param tokens computed for each input
/// @param truncated which inputs were cut
/// @param characters code points of all texts
/// @param timing where the time went
public record Embedded(List<float[]> vectors, int[] tokens, boolean[] truncated, long characters, Timing timing)
        implements Computed {
    @Override
    public long totalTokens() {
        return IntStream.of(tokens).asLongStream().sum();
    }

    @Override
    public int cut() {
        return (int)
                IntStream.range(0, truncated.length).filter(i -> truncated[i]).count();
    }
}
