package io.github.sgpt4j.spark.partition;

import java.util.List;

/// What an engine does with the rows of a partition.
///
/// @param <I> what is taken from a row
/// @param <T> that as token ids
/// @param <V> what is computed from it
interface Computation<I, T, V> {
    /// Number of characters of an input.
    long characters(I input);

    /// @throws io.github.sgpt4j.error.FormatException if it is too long and is not to be cut
    T tokenize(I input);

    InputSize size(T tokenized);

    /// @return one result per input, in order
    List<V> compute(List<T> tokenized);

    /// Maximum tokens computed at the same time.
    int batchTokens();

    /// Maximum tokens of an input.
    int maxLength();
}
