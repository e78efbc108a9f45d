package io.github.sgpt4j.retrieval.mining;

import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/// The most similar pairs among many texts: sentence-transformers' `paraphrase_mining`, but exact and
/// with an order of its own for equal scores (the pair whose texts come first).
///
/// Every text is compared with every other, block by block. Besides the vectors, memory is needed for a
/// copy of them and for the pairs of the result; the matrix of all similarities is never held. Scores
/// are in 64-bit arithmetic.
public final class ParaphraseMining {
    private final BlockScores scores;
    private final MiningOptions options;
    private final PairHeap best;
    private final LongAdder reaching = new LongAdder();
    private final float floor;

    private ParaphraseMining(BlockScores scores, MiningOptions options) {
        this.scores = scores;
        this.options = options;
        best = new PairHeap(options.maxPairs());
        floor = options.minScore().orElse(Float.NEGATIVE_INFINITY);
    }

    /// What was found.
    ///
    /// @param pairs the best, in order of their scores
    /// @param reaching how many pairs there are of the kind asked for, of which `pairs` are the best
    public record Found(List<TextPair> pairs, long reaching) {
        /// Copies the list.
        public Found {
            pairs = List.copyOf(pairs);
        }
    }

    /// Finds pairs.
    ///
    /// @param vectors `[texts][dimension]`, finite; not changed
    /// @throws IllegalArgumentException if their lengths differ, or a number is not finite
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public static Found mine(float[][] vectors, MiningOptions options) {
        Vectors.check(vectors);
        if (vectors.length < 2) {
            return new Found(List.of(), 0);
        }
        try (BlockScores scores = new BlockScores(vectors, options.similarity(), options.threads())) {
            ParaphraseMining mining = new ParaphraseMining(scores, options);
            if (options.neighbours().isPresent()) {
                new NeighbourPairs(scores, options, mining.floor, mining.best, mining.reaching).run();
            } else {
                mining.run();
            }
            return new Found(mining.best.sorted(), mining.reaching.sum());
        }
    }

    /// Compares each text with those after it.
    private void run() {
        int count = scores.count();
        for (int from = 0; from < count; from += BlockScores.ROWS) {
            int to = Math.min(from + BlockScores.ROWS, count);
            for (int block = 0; block < scores.blocks(); block++) {
                if (scores.start(block + 1) > from + 1) {
                    Interrupts.check("comparing texts", from, count);
                    compare(from, to, block);
                }
            }
            options.progress().update(to, count);
        }
    }

    private void compare(int from, int to, int block) {
        float[] fast = scores.fast(from, to, block);
        int start = scores.start(block);
        int end = scores.start(block + 1);
        IntStream.range(from, to)
                .parallel()
                .forEach(i -> compare(i, start, end, fast, (i - from) * (end - start) - start));
    }

    /// @param at where the similarity with text 0 would be
    private void compare(int i, int start, int end, float[] fast, int at) {
        float kept = kept();
        long reached = 0;
        for (int j = Math.max(start, i + 1); j < end; j++) {
            float score = fast[at + j];
            if (scores.reaches(floor, i, j, score)) {
                reached++;
                if (score >= kept - scores.margin(i, j, score)) {
                    kept = offer(scores.exact(i, j), i, j);
                }
            }
        }
        reaching.add(reached);
    }

    private float kept() {
        synchronized (best) {
            return best.floor();
        }
    }

    private float offer(float score, int i, int j) {
        synchronized (best) {
            best.offer(score, i, j);
            return best.floor();
        }
    }
}
