package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.ProgressListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Keeps scores on disk, as [CachedEmbedder] keeps vectors.
public final class CachedPairScorer implements TextPairScorer, AutoCloseable {
    private final TextPairScorer scorer;
    private final ResultCache cache;

    private CachedPairScorer(TextPairScorer scorer, ResultCache cache) {
        this.scorer = scorer;
        this.cache = cache;
    }

    /// Opens a cache.
    ///
    /// @param scorer computes what is missing
    /// @param directory of caches, for any number of models; created if needed
    /// @param identity everything that scores depend on besides the two texts: the model's content, and
    ///     its prompt
    /// @throws IOException if the directory cannot be read or written
    public static CachedPairScorer open(TextPairScorer scorer, Path directory, String identity) throws IOException {
        return open(scorer, directory, identity, notice -> {});
    }

    /// Opens a cache. Damaged entries are computed again.
    ///
    /// @param notices told of damage, once, in a sentence that names the folder
    /// @throws IOException as [#open(TextPairScorer, Path, String)]
    public static CachedPairScorer open(
            TextPairScorer scorer, Path directory, String identity, Consumer<String> notices) throws IOException {
        ResultCache cache = ResultCache.open(directory, "scores", identity, 1, notices);
        return new CachedPairScorer(scorer, cache);
    }

    /// Keeps nothing.
    public static CachedPairScorer withoutCache(TextPairScorer scorer) {
        return new CachedPairScorer(scorer, ResultCache.none(1));
    }

    /// @throws IllegalArgumentException if the numbers of queries and documents differ
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted while pairs
    ///     remain to be scored
    /// @throws java.io.UncheckedIOException if the cache cannot be read or written
    /// @throws io.github.sgpt4j.error.FormatException if a score is not finite
    @Override
    public float[] score(List<String> queries, List<String> documents, ProgressListener progress) {
        if (queries.size() != documents.size()) {
            throw new IllegalArgumentException(
                    "%d queries for %d documents".formatted(queries.size(), documents.size()));
        }
        List<TextKey> keys = new ArrayList<>();
        for (int i = 0; i < queries.size(); i++) {
            keys.add(TextKey.of(queries.get(i), documents.get(i)));
        }
        float[][] rows = cache.get(
                keys,
                (indices, listener) -> rows(scorer.score(
                        indices.stream().map(queries::get).toList(),
                        indices.stream().map(documents::get).toList(),
                        listener)),
                progress);
        float[] scores = new float[rows.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = rows[i][0];
        }
        return scores;
    }

    private static float[][] rows(float[] scores) {
        float[][] rows = new float[scores.length][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = new float[] {scores[i]};
        }
        return rows;
    }

    /// Number of pairs that were scored.
    public long computed() {
        return cache.computed();
    }

    /// Number of pairs whose scores were on disk.
    public long found() {
        return cache.found();
    }

    @Override
    public void close() throws IOException {
        cache.close();
    }
}
