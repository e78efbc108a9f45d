package io.github.sgpt4j.retrieval.mining;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The most similar of some texts for each of others, exactly: sentence-transformers'
/// `semantic_search`. Of equal scores, the text that comes first. Safe to share between threads.
public final class NearestTexts {
    private final float[][] texts;
    private final Similarity similarity;
    private final OptionalInt threads;

    /// @param texts `[texts][dimension]`, at least one, finite; not copied
    /// @param threads that compare; empty for one per processor
    /// @throws IllegalArgumentException if there is none, their lengths differ, or a number is not
    ///     finite
    public NearestTexts(float[][] texts, Similarity similarity, OptionalInt threads) {
        Vectors.check(texts);
        if (texts.length == 0) {
            throw new IllegalArgumentException("texts: expected at least one, got none");
        }
        this.texts = texts;
        this.similarity = similarity;
        this.threads = threads;
    }

    /// Compares each of some vectors with all texts.
    ///
    /// @param vectors `[rows][dimension]`, finite
    /// @param most texts for each, at least 1
    /// @param progress told about vectors that have been compared; may interrupt the thread
    /// @return for each vector its nearest texts, in order of their scores
    /// @throws IllegalArgumentException if the dimension is another, or a number is not finite
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public List<List<Neighbour>> of(float[][] vectors, int most, ProgressListener progress) {
        Vectors.check(vectors);
        if (vectors.length == 0) {
            return List.of();
        }
        if (vectors[0].length != texts[0].length) {
            throw new IllegalArgumentException(
                    "vectors: expected %d numbers, got %d".formatted(texts[0].length, vectors[0].length));
        }
        PairHeap[] nearest = Stream.generate(() -> new PairHeap(Math.min(most, texts.length)))
                .limit(vectors.length)
                .toArray(PairHeap[]::new);
        try (BlockScores scores = new BlockScores(vectors, texts, similarity, threads)) {
            for (int from = 0; from < vectors.length; from += BlockScores.ROWS) {
                int to = Math.min(from + BlockScores.ROWS, vectors.length);
                for (int block = 0; block < scores.blocks(); block++) {
                    Interrupts.check("comparing texts", from, vectors.length);
                    offer(scores, from, to, block, nearest);
                }
                progress.update(to, vectors.length);
            }
        }
        return Arrays.stream(nearest)
                .map(heap -> heap.sorted().stream()
                        .map(pair -> new Neighbour(pair.second(), pair.score()))
                        .toList())
                .toList();
    }

    private static void offer(BlockScores scores, int from, int to, int block, PairHeap[] nearest) {
        float[] fast = scores.fast(from, to, block);
        int start = scores.start(block);
        int width = scores.start(block + 1) - start;
        IntStream.range(from, to).parallel().forEach(i -> {
            PairHeap heap = nearest[i];
            for (int j = 0; j < width; j++) {
                float score = fast[(i - from) * width + j];
                if (score >= heap.floor() - scores.margin(i, start + j, score)) {
                    heap.offer(scores.exact(i, start + j), i, start + j);
                }
            }
        });
    }
}
