package io.github.sgpt4j.retrieval.mining;

import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/// Pairs in which one text is among the nearest of the other. Compares each text with all others, and
/// remembers of each only how similar the last of its nearest is, so that a pair found from both sides
/// counts once.
final class NeighbourPairs {
    private final BlockScores scores;
    private final MiningOptions options;
    private final float floor;
    private final PairHeap best;
    private final LongAdder reaching;
    /// Of each text that is done: the score and the index of the last of its nearest.
    private final float[] lastScore;

    private final int[] last;

    NeighbourPairs(BlockScores scores, MiningOptions options, float floor, PairHeap best, LongAdder reaching) {
        this.scores = scores;
        this.options = options;
        this.floor = floor;
        this.best = best;
        this.reaching = reaching;
        lastScore = new float[scores.count()];
        last = new int[scores.count()];
    }

    void run() {
        int count = scores.count();
        for (int from = 0; from < count; from += BlockScores.ROWS) {
            int first = from;
            int to = Math.min(from + BlockScores.ROWS, count);
            PairHeap[] nearest = new PairHeap[to - from];
            Arrays.setAll(nearest, i -> new PairHeap(options.neighbours().orElseThrow()));
            for (int block = 0; block < scores.blocks(); block++) {
                Interrupts.check("comparing texts", from, count);
                float[] fast = scores.fast(from, to, block);
                int start = scores.start(block);
                int end = scores.start(block + 1);
                IntStream.range(from, to)
                        .parallel()
                        .forEach(i ->
                                compare(nearest[i - first], i, start, end, fast, (i - first) * (end - start) - start));
            }
            for (int i = from; i < to; i++) {
                note(i, nearest[i - from]);
            }
            for (PairHeap each : nearest) {
                each.forEach(this::offer);
            }
            options.progress().update(to, count);
        }
    }

    /// @param at where the similarity with text 0 would be
    private void compare(PairHeap nearest, int i, int start, int end, float[] fast, int at) {
        for (int j = start; j < end; j++) {
            float score = fast[at + j];
            if (j != i && score >= nearest.floor() - scores.margin(i, j, score)) {
                nearest.offer(scores.exact(i, j), i, j);
            }
        }
    }

    /// A text that has room left among its nearest has all others there.
    private void note(int i, PairHeap nearest) {
        lastScore[i] = nearest.floor();
        last[i] = nearest.isFull() ? nearest.worstSecond() : Integer.MAX_VALUE;
    }

    /// @param i the text whose nearest include `j`
    private void offer(float score, int i, int j) {
        boolean found = j < i && (score > lastScore[j] || score == lastScore[j] && i <= last[j]);
        if (score >= floor && !found) {
            reaching.increment();
            best.offer(score, Math.min(i, j), Math.max(i, j));
        }
    }
}
