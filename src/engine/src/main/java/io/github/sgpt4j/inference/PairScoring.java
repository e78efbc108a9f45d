package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import java.util.List;

/// A way to score pairs of a query and a document.
///
/// @param <T> what a pair is tokenized to
public sealed interface PairScoring<T extends PairTokens> permits PairScorer, PromptScorer {
    /// Results of pairs, in their order.
    ///
    /// @param values of each pair, `[pairs][values]`; what they are depends on the way
    /// @param tokens ids of each pair after cutting
    /// @param uncut ids of each pair before cutting
    record Scored(float[][] values, int[] tokens, int[] uncut) {
        static Scored of(float[][] values, List<? extends PairTokens> requests) {
            return new Scored(
                    values,
                    requests.stream().mapToInt(PairTokens::tokens).toArray(),
                    requests.stream().mapToInt(PairTokens::uncutTokens).toArray());
        }
    }

    /// What a pair is tokenized to.
    Class<T> tokenized();

    /// Pairs as token ids, those that are too long cut.
    ///
    /// @param queries as many as documents
    /// @param cancellation of the call
    List<T> requests(List<String> queries, List<String> documents, Cancellation cancellation);

    /// Scores pairs that are already token ids, at most `batchTokens` tokens at a time on each device; a
    /// longer pair is computed alone.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or
    ///     during the call
    Scored score(List<T> requests, int batchTokens, Progress progress);

    /// Scores `queries[i]` with `documents[i]`.
    ///
    /// @param truncate whether pairs that are too long are cut; otherwise they are refused
    /// @throws io.github.sgpt4j.error.FormatException if a pair is too long and must not be cut
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or
    ///     during the call
    Scored score(List<String> queries, List<String> documents, boolean truncate, int batchTokens, Progress progress);
}
