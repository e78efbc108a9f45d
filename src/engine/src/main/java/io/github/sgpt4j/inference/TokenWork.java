package io.github.sgpt4j.inference;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.batch.TokenBudget;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.model.Decoder;
import java.util.Arrays;
import java.util.List;

/// The tokens of a [TokenLoad], ready to be computed as often as measuring wants.
///
/// @param sequences tokens of each text
/// @param requests a query after each text
/// @param batchTokens most tokens computed at the same time on a device
public record TokenWork(List<int[]> sequences, List<ScoringRequest> requests, int batchTokens) {
    /// Embeds all texts once, by their weighted mean.
    ///
    /// @param cancellation of the call
    public void embed(Lanes lanes, Cancellation cancellation) {
        int[] lengths = sequences.stream().mapToInt(s -> s.length).toArray();
        TokenBudget budget = lanes.budget(batchTokens);
        lanes.run(
                budget.plan(lengths).iterator(),
                group -> Arrays.stream(group).mapToLong(i -> lengths[i]).sum(),
                budget,
                cancellation,
                decoder -> group -> start(decoder, group, cancellation));
    }

    private Lanes.Started start(Decoder decoder, int[] group, Cancellation cancellation) {
        SequenceBatch batch =
                SequenceBatch.of(Arrays.stream(group).mapToObj(sequences::get).toList());
        Download download = decoder.startPool(
                batch, new int[group.length], List.of(), List.of(PoolMode.WEIGHTED_MEAN), cancellation);
        return new Lanes.Started() {
            @Override
            public void finish() {
                download.get();
            }

            @Override
            public void close() {
                download.close();
            }
        };
    }

    /// Scores the query after each text, once.
    ///
    /// @param cancellation of the call
    public void score(Lanes lanes, Cancellation cancellation) {
        PairScorer.score(lanes, requests, Integer.MAX_VALUE, batchTokens, (done, total) -> {}, cancellation);
    }
}
